using System.CommandLine;
using Weft.Ctl.Commands;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Ctl.WhatIf;

namespace Weft.Ctl.Policies;

/// <summary><c>weftctl policy explain</c>: who decides about a connection, at both ends, by the policies and by the flows.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "The pod that connects, NAMESPACE/POD", Required = true };
        var to = new Option<string>("--to") { Description = "The other end: NAMESPACE/POD, or an address", Required = true };
        var port = new Option<string>("--port") { Description = "NUMBER/PROTOCOL, for example 80/tcp", Required = true };
        var v6 = new Option<bool>("--ipv6", "-6") { Description = "Take the IPv6 addresses" };
        var output = OutputOption.Create();
        var command = new Command("explain", "Name the policy and rule that decide about a connection at both ends: by the controller's compiler from the cluster's objects, and by the nodes' flows. "
            + "Exit code 3 when it is denied, or when the two differ.")
        {
            from, to, port, v6, output,
        };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var asked = Parse(result.GetValue(port)!);
            var live = await LivePolicies.LoadAsync(cluster, ct);
            var explainer = new Explainer(await NodeDirectory.LoadAsync(cluster, ct), live);
            var answer = await explainer.ExplainAsync(
                result.GetValue(from)!, result.GetValue(to)!, asked.ProtocolName.ToLowerInvariant(), asked.Number, result.GetValue(v6), ct);
            foreach (var problem in live.Problems)
            {
                Console.Error.WriteLine(problem);
            }

            if (result.GetValue(output) is var format && format != OutputFormat.Table)
            {
                Printer.Write(answer.ToJson(), format);
            }
            else
            {
                answer.Print(Console.Out);
            }

            return answer is { Allowed: true, Agree: true } ? ExitCodes.Ok : ExitCodes.No;
        });
        return command;
    }

    private static PortQuestion Parse(string text)
    {
        try
        {
            return PortQuestion.Parse(text);
        }
        catch (FormatException e)
        {
            throw new CtlException(e.Message);
        }
    }
}
