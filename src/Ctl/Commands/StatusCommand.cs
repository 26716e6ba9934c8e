using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Ctl.Clusters;
using Weft.Ctl.Output;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl status</c>: problems first, then controller and nodes.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan LeaseLife = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var output = OutputOption.Create();
        var command = new Command("status", "Show what is wrong, who leads, and what every node has realised. Exit code 3 when something is wrong.") { output };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var report = await CollectAsync(cluster, ct);
            Write(cluster, report, result.GetValue(output));
            return report["problems"]!.AsArray().Count == 0 ? ExitCodes.Ok : ExitCodes.No;
        });
        return command;
    }

    private static async Task<JsonObject> CollectAsync(ICluster cluster, CancellationToken ct)
    {
        var problems = new JsonArray();
        var leader = "";
        try
        {
            var lease = (await cluster.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{cluster.SystemNamespace}/leases/weft-controller", ct))["spec"];
            leader = (string?)lease?["holderIdentity"] ?? "";
            var age = DateTimeOffset.TryParse((string?)lease?["renewTime"], CultureInfo.InvariantCulture, out var renewed) ? TimeProvider.System.GetUtcNow() - renewed : TimeSpan.MaxValue;
            if (leader.Length == 0 || age > LeaseLife)
            {
                Add(problems, "NoLeader", "controller", leader.Length == 0 ? "no controller leads" : $"{leader} has not renewed its lease for {age.TotalSeconds:0} s");
            }
        }
        catch (CtlException e)
        {
            Add(problems, "NoLeader", "controller", e.Message);
        }

        var nodes = await NodesAsync(cluster, problems, ct);
        return new JsonObject { ["cluster"] = cluster.Name, ["leader"] = leader, ["problems"] = problems, ["nodes"] = nodes };
    }

    private static async Task<JsonArray> NodesAsync(ICluster cluster, JsonArray problems, CancellationToken ct)
    {
        var nodes = new JsonArray();
        try
        {
            var states = (await cluster.GetAsync("/apis/topology.weft.dev/v1alpha1/nodestates", ct))["items"]!.AsArray().OfType<JsonObject>();
            foreach (var state in states.OrderBy(s => (string?)s["metadata"]!["name"], StringComparer.Ordinal))
            {
                var name = (string)state["metadata"]!["name"]!;
                var status = state["status"];
                if (status is null)
                {
                    Add(problems, "NoReport", $"node {name}", "its agent has not reported to this controller: see 'kubectl -n weft-system logs' of its agent");
                }

                foreach (var problem in (status?["problems"] as JsonArray ?? []).OfType<JsonObject>())
                {
                    Add(problems, (string?)problem["reason"] ?? "", $"node {name}, {problem["subject"]}", (string?)problem["message"] ?? "");
                }

                nodes.Add(new JsonObject
                {
                    ["name"] = name,
                    ["ready"] = status is not null && (status["problems"] as JsonArray ?? []).Count == 0 && (long?)status["revision"] > 0,
                    ["revision"] = (long?)status?["revision"] ?? -1,
                    ["pods"] = (status?["ports"] as JsonArray ?? []).Count,
                    ["version"] = (string?)status?["agentVersion"] ?? "",
                });
            }
        }
        catch (CtlException e)
        {
            Add(problems, "NoTopology", "controller", $"what it computed cannot be read: {e.Message}");
        }

        return nodes;
    }

    private static void Add(JsonArray problems, string reason, string subject, string message) =>
        problems.Add(new JsonObject { ["reason"] = reason, ["subject"] = subject, ["message"] = message });

    private static void Write(ICluster cluster, JsonObject report, OutputFormat format)
    {
        if (format != OutputFormat.Table)
        {
            Printer.Write(report, format);
            return;
        }

        var (problems, nodes) = (report["problems"]!.AsArray(), report["nodes"]!.AsArray());
        foreach (var problem in problems)
        {
            Console.Out.WriteLine($"! {problem!["subject"]}: {problem["message"]} ({problem["reason"]})");
        }

        var ready = nodes.Count(n => (bool)n!["ready"]!);
        Console.Out.WriteLine($"{cluster.Name}: {(problems.Count == 0 ? "all is well" : $"{problems.Count} problems")}, {ready} of {nodes.Count} nodes in line, "
            + $"{nodes.Sum(n => (int)n!["pods"]!)} pods attached, led by {((string)report["leader"]! is { Length: > 0 } leader ? leader : "nobody")}");
        Console.Out.WriteLine();
        Printer.WriteColumns(["Node", "In line", "Revision", "Pods", "Agent"], nodes.Select(n => (IReadOnlyList<string>)
            [(string)n!["name"]!, (bool)n["ready"]! ? "yes" : "no", $"{n["revision"]}", $"{n["pods"]}", $"{n["version"]}"]));
    }
}
