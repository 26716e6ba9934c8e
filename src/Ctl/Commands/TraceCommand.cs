using System.CommandLine;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Ctl.Tracing;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl trace</c>: where a packet goes, and who decided it.</summary>
internal static class TraceCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "The pod that sends, NAMESPACE/POD", Required = true };
        var to = new Option<string>("--to") { Description = "NAMESPACE/POD, service/NAMESPACE/NAME, node/NAME or an address", Required = true };
        var port = new Option<int>("--port") { Description = "Destination port; a Service's first when it is not given", DefaultValueFactory = _ => 0 }.Between(0, 65535);
        var protocol = new Option<string>("--protocol") { Description = "tcp, udp, sctp or icmp", DefaultValueFactory = _ => "tcp" };
        protocol.AcceptOnlyFromAmong("tcp", "udp", "sctp", "icmp");
        var sourcePort = new Option<int>("--source-port") { Description = "Source port", DefaultValueFactory = _ => 40000 }.Between(1, 65535);
        var v6 = new Option<bool>("--ipv6", "-6") { Description = "Take the IPv6 addresses" };
        var hash = new Option<int>("--hash") { Description = "1 to 255: another number may choose another endpoint of a Service", DefaultValueFactory = _ => 1 }.Between(1, 255);
        var output = OutputOption.Create();
        var command = new Command("trace", "Follow a packet through the switches and say in words what becomes of it. Exit code 3 when it does not arrive.")
        {
            from, to, port, protocol, sourcePort, v6, hash, output,
        };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var directory = await NodeDirectory.LoadAsync(cluster, ct);
            var target = await TraceTarget.FindAsync(directory, result.GetValue(from)!, result.GetValue(to)!, result.GetValue(v6), ct);
            var number = result.GetValue(port) is > 0 and var given ? given : target.Port;
            if (number == 0 && result.GetValue(protocol) != "icmp")
            {
                throw new CtlException("give --port: only a Service has a first one");
            }

            var packet = new TracePacket(result.GetValue(protocol)!, target.Source, target.Destination, result.GetValue(sourcePort), number);
            var trace = await new Tracer(directory, result.GetValue(hash)).TraceAsync(target.From, result.GetValue(to)!, packet, ct);
            Write(trace, result.GetValue(output));
            return trace.Verdict.IsGood ? ExitCodes.Ok : ExitCodes.No;
        });
        return command;
    }

    private static void Write(TraceResult trace, OutputFormat format)
    {
        if (format != OutputFormat.Table)
        {
            Printer.Write(trace.ToJson(), format);
            return;
        }

        Console.Out.WriteLine($"{trace.Packet}, from pod {trace.From}");
        Console.Out.WriteLine();
        Printer.WriteColumns(["Node", "Table", "Owner", "Match", "Then"], trace.Steps.Select(s => (IReadOnlyList<string>)
            [s.Node, s.TableName, s.Owner, s.Match.Length > 0 ? s.Match : "*", FlowWords.Explain(s.Actions)]));
        Console.Out.WriteLine();
        Console.Out.WriteLine(trace.Verdict.Sentence);
    }
}
