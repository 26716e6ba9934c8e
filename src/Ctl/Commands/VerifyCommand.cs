using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Ctl.Verification;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl verify</c>: intent against simulator against the switches, for many pairs.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var from = new Option<string?>("--from") { Description = "Only this sender, NAMESPACE/POD" };
        var to = new Option<string?>("--to") { Description = "Only this receiver, NAMESPACE/POD" };
        var ns = new Option<string?>("--namespace", "-n") { Description = "Only pods of this namespace" };
        var port = new Option<int[]>("--port") { Description = "Destination ports", DefaultValueFactory = _ => [80], AllowMultipleArgumentsPerToken = true }.Between(1, 65535);
        var protocol = new Option<string>("--protocol") { Description = "tcp, udp, sctp or icmp", DefaultValueFactory = _ => "tcp" };
        protocol.AcceptOnlyFromAmong("tcp", "udp", "sctp", "icmp");
        var v6 = new Option<bool>("--ipv6", "-6") { Description = "Take the IPv6 addresses" };
        var limit = new Option<int>("--limit") { Description = "At most so many pairs; it says when there are more", DefaultValueFactory = _ => 500 }.Between(1, int.MaxValue);
        var all = new Option<bool>("--all") { Description = "Show pairs that agree too" };
        var output = OutputOption.Create();
        var command = new Command("verify", "Compare what policies say with what flows and switches do. Exit code 3 when anything differs.")
        {
            from, to, ns, port, protocol, v6, limit, all, output,
        };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var directory = await NodeDirectory.LoadAsync(cluster, ct);
            var space = result.GetValue(ns);
            var pods = directory.Pods.Where(p => p is { HostNetwork: false, Phase: "Running" } && (space is null || p.Id.StartsWith(space + "/", StringComparison.Ordinal))).ToList();
            List<PodInfo> Chosen(string? one) => one is null ? pods : [directory.Pod(one)];
            var pairs = (from a in Chosen(result.GetValue(@from)) from b in Chosen(result.GetValue(to)) where a != b from p in result.GetValue(port)! select (a, b, p)).ToList();
            var most = result.GetValue(limit);
            var verifier = new Verifier(directory);
            var checks = new List<PairCheck>();
            foreach (var (a, b, p) in pairs.Take(most))
            {
                if (await verifier.CheckAsync(a, b, result.GetValue(protocol)!, p, result.GetValue(v6), ct) is { } check)
                {
                    checks.Add(check);
                }
            }

            Write(checks, pairs.Count - Math.Min(pairs.Count, most), result.GetValue(all), result.GetValue(output));
            return checks.All(c => c.Agree) ? ExitCodes.Ok : ExitCodes.No;
        });
        return command;
    }

    private static void Write(List<PairCheck> checks, int left, bool all, OutputFormat format)
    {
        var different = checks.Where(c => !c.Agree).ToList();
        if (format != OutputFormat.Table)
        {
            Printer.Write(new JsonObject
            {
                ["checked"] = checks.Count, ["different"] = different.Count, ["notChecked"] = left,
                ["pairs"] = new JsonArray([.. (all ? checks : different).Select(c => (JsonNode)c.ToJson())]),
            }, format);
            return;
        }

        var shown = all ? checks : different;
        if (shown.Count > 0)
        {
            Printer.WriteColumns(["From", "To", "Packet", "Policies", "Flows", "Switches", "Why"], shown.Select(c => (IReadOnlyList<string>)
                [c.From, c.To, c.Packet, Word(c.Intent), Word(c.Simulator), Word(c.Trace), c.Sentence]));
            Console.Out.WriteLine();
        }

        Console.Out.WriteLine($"{checks.Count} pairs checked, {different.Count} differ{(left > 0 ? $", {left} not looked at (--limit)" : "")}");
    }

    private static string Word(bool delivered) => delivered ? "deliver" : "drop";
}
