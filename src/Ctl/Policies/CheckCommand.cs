using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Ctl.WhatIf;

namespace Weft.Ctl.Policies;

/// <summary><c>weftctl policy check</c>: the reachability matrix of manifests, without a cluster.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var files = new Option<string[]>("--filename", "-f") { Description = "A file, or a folder of *.yaml, *.yml and *.json files; may be repeated.", Required = true };
        var ports = new Option<string[]>("--port") { Description = "NUMBER/PROTOCOL, for example 80/TCP; may be repeated. Default: every port that a pod declares." };
        var each = new Option<bool>("--each") { Description = "Answer each -f alone, one JSON line each, in order." };
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var command = new Command("check", "Print who reaches whom under the policies of Kubernetes manifests, before anything is applied. Runs the controller's compiler and the pipeline in memory. Rules that cannot be used are named and count as what is done instead; the exit code is 3 then.")
        {
            files, ports, each, output,
        };
        command.SetAction(parse => Run(
            parse.GetValue(files)!, parse.GetValue(ports) ?? [], parse.GetValue(each), parse.GetValue(output) == "json", Console.Out, Console.Error));
        return command;
    }

    /// <returns>An <see cref="ExitCodes"/>.</returns>
    internal static int Run(string[] files, string[] ports, bool each, bool json, TextWriter output, TextWriter error)
    {
        List<PortQuestion> asked;
        try
        {
            asked = [.. ports.Select(PortQuestion.Parse)];
        }
        catch (FormatException e)
        {
            error.WriteLine(e.Message);
            return ExitCodes.Usage;
        }

        return each ? RunEach(files, asked, output) : RunAll(files, asked, json, output, error);
    }

    private static int RunAll(string[] files, List<PortQuestion> ports, bool json, TextWriter output, TextWriter error)
    {
        try
        {
            var manifests = Manifests.Load(files);
            foreach (var kind in manifests.PassedOver)
            {
                error.WriteLine($"{kind}: has no part in reachability, passed over");
            }

            var answer = Reachability.Of(VirtualCluster.Of(manifests), ports);
            if (json)
            {
                output.WriteLine(answer.ToJson().ToJsonString());
            }
            else
            {
                answer.Print(output);
            }

            foreach (var problem in answer.Problems)
            {
                error.WriteLine(problem);
            }

            return answer.Problems.Count == 0 ? ExitCodes.Ok : ExitCodes.No;
        }
        catch (ManifestException e)
        {
            error.WriteLine(e.Message);
            return ExitCodes.Failed;
        }
    }

    private static int RunEach(string[] files, List<PortQuestion> ports, TextWriter output)
    {
        var worst = ExitCodes.Ok;
        foreach (var line in files.AsParallel().AsOrdered().Select(file => Answer(file, ports)))
        {
            worst = line.ContainsKey("error") ? ExitCodes.Failed : line.ContainsKey("problems") && worst == ExitCodes.Ok ? ExitCodes.No : worst;
            output.WriteLine(line.ToJsonString());
        }

        return worst;
    }

    private static JsonObject Answer(string file, List<PortQuestion> ports)
    {
        try
        {
            return Reachability.Of(VirtualCluster.Of(Manifests.Load(file)), ports).ToJson();
        }
        catch (ManifestException e)
        {
            return new JsonObject { ["error"] = e.Message };
        }
    }
}
