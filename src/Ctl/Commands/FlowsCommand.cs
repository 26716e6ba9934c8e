using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.Ctl.Clusters;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Topology;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl flows</c>: the flows of a node, each with its owner's name, table by table.</summary>
internal static class FlowsCommand
{
    public static Command Create()
    {
        var node = new Option<string?>("--node") { Description = "A node; without it, the pod's node, or all" };
        var pod = new Option<string?>("--pod") { Description = "Only flows of NAMESPACE/POD" };
        var service = new Option<string?>("--service") { Description = "Only flows of the Service NAMESPACE/NAME" };
        var policy = new Option<string?>("--policy") { Description = "Only flows of a policy: NAMESPACE/NAME, NAME or KIND/NAMESPACE/NAME" };
        var network = new Option<string?>("--network") { Description = "Only flows of a network, by its name or key" };
        var output = OutputOption.Create();
        var command = new Command("flows", "Show flows with their owners and what each table is for.") { node, pod, service, policy, network, output };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var filter = new Filter(result.GetValue(pod), result.GetValue(service), result.GetValue(policy), result.GetValue(network));
            var directory = await NodeDirectory.LoadAsync(cluster, ct);
            var owner = filter.Pod is null ? null : directory.Pod(filter.Pod);
            var nodes = (result.GetValue(node) ?? owner?.Node) is { } one ? [directory.Node(one)] : directory.NodeNames.ToArray();
            var found = new List<(NodeView Node, FlowLine Flow)>();
            var views = new List<NodeView>();
            foreach (var name in nodes)
            {
                var view = await directory.ViewAsync(name, ct);
                views.Add(view);
                var wanted = filter with { Pod = owner?.Id };
                found.AddRange(wanted.Apply(view, await view.FlowsAsync(ct)).Select(f => (view, f)));
            }

            if (found.Count == 0)
            {
                filter.CheckNames(directory, views);
            }

            Write(found, result.GetValue(output));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(List<(NodeView Node, FlowLine Flow)> flows, OutputFormat format)
    {
        if (format != OutputFormat.Table)
        {
            Printer.Write(new JsonArray([.. flows.Select(f => (JsonNode)ToJson(f.Node, f.Flow))]), format);
            return;
        }

        if (flows.Count == 0)
        {
            Console.Out.WriteLine("no flows");
        }

        foreach (var node in flows.GroupBy(f => f.Node))
        {
            Console.Out.WriteLine($"{node.Key.Name}: {node.Count()} flows");
            foreach (var table in node.Select(f => f.Flow).GroupBy(f => f.Table).OrderBy(t => t.Key))
            {
                var known = Tables.All.FirstOrDefault(t => t.Id == table.Key);
                Console.Out.WriteLine($"\n{known?.Name ?? $"table {table.Key}"} - {known?.Purpose ?? "not ours"}");
                Printer.WriteColumns(["  Priority", "Packets", "Owner", "Match", "Then"], table.OrderByDescending(f => f.Priority).ThenBy(f => f.Match, StringComparer.Ordinal)
                    .Select(f => (IReadOnlyList<string>)[$"  {f.Priority}", f.Packets.ToString(CultureInfo.InvariantCulture), node.Key.Owners.Of(f.Cookie), f.Match.Length > 0 ? f.Match : "*", FlowWords.Explain(f.Actions)]));
            }

            Console.Out.WriteLine();
        }
    }

    private static JsonObject ToJson(NodeView node, FlowLine flow) => new()
    {
        ["node"] = node.Name,
        ["table"] = Tables.All.FirstOrDefault(t => t.Id == flow.Table)?.Name ?? $"{flow.Table}",
        ["priority"] = flow.Priority,
        ["owner"] = node.Owners.Of(flow.Cookie),
        ["cookie"] = $"0x{flow.Cookie:x}",
        ["packets"] = flow.Packets,
        ["match"] = flow.Match,
        ["actions"] = flow.Actions,
        ["explanation"] = FlowWords.Explain(flow.Actions),
    };

    /// <summary>Which flows are wanted; what is null does not narrow.</summary>
    private sealed record Filter(string? Pod, string? Service, string? Policy, string? Network)
    {
        /// <summary>Nothing was found: is it because a name means nothing?</summary>
        /// <exception cref="CtlException">It is.</exception>
        public void CheckNames(NodeDirectory directory, IReadOnlyList<NodeView> nodes)
        {
            var services = directory.Services.Select(s => $"{s["metadata"]!["namespace"]}/{s["metadata"]!["name"]}").ToList();
            Check("there is no Service", Service, services, () => services.Contains(Qualified(Service!)));
            var policies = nodes.SelectMany(n => n.Slice.All<Policy>()).Select(p => p.Id).ToList();
            // People write NAMESPACE/NAME, the slice KIND/NAMESPACE/NAME.
            Check("no node that was asked has a policy", Policy, policies.Select(p => p[(p.IndexOf('/', StringComparison.Ordinal) + 1)..]), () => policies.Exists(IsPolicy));
            var networks = nodes.SelectMany(n => n.Slice.All<Network>()).Select(n => n.Id).Append(Topology.Network.DefaultId).ToList();
            Check("no node that was asked has a network", Network, networks, () => networks.Contains(Network!) || int.TryParse(Network, out _));

            static void Check(string none, string? name, IEnumerable<string> known, Func<bool> isKnown)
            {
                if (name is not null && !isKnown())
                {
                    throw new CtlException($"{none} '{name}'{Suggestion.Ending(name, known)}");
                }
            }
        }

        public IEnumerable<FlowLine> Apply(NodeView node, IReadOnlyList<FlowLine> flows)
        {
            IEnumerable<FlowLine> left = flows;
            if (Pod is not null)
            {
                left = left.Where(f => node.Owners.Of(f.Cookie) == PodFlows.OwnerOf(Pod));
            }

            if (Service is not null)
            {
                left = left.Where(f => node.Owners.Of(f.Cookie) == "service " + Qualified(Service));
            }

            if (Policy is not null)
            {
                left = OfPolicy(node, flows).Intersect(left);
            }

            return Network is null ? left : left.Where(OfNetwork(node));
        }

        private bool IsPolicy(string id) => id == Policy || id.EndsWith("/" + Policy, StringComparison.Ordinal);

        private static string Qualified(string name) => name.Contains('/', StringComparison.Ordinal) ? name : $"default/{name}";

        /// <summary>The deciding flows carry the policy's cookie; the conditions, which several rules share, carry the numbers of their conjunctions.</summary>
        private List<FlowLine> OfPolicy(NodeView node, IReadOnlyList<FlowLine> flows)
        {
            var owners = node.Slice.All<Policy>().Where(p => IsPolicy(p.Id)).Select(PolicyCompiler.OwnerOf).ToHashSet(StringComparer.Ordinal);
            var own = flows.Where(f => owners.Contains(node.Owners.Of(f.Cookie))).ToList();
            var conjunctions = own.Where(f => f.Match.Contains("conj_id=", StringComparison.Ordinal))
                .Select(f => $"conjunction({f.Match.Split("conj_id=")[1].Split(',')[0]},").ToList();
            return [.. flows.Where(f => own.Contains(f) || conjunctions.Any(c => f.Actions.Contains(c, StringComparison.Ordinal)))];
        }

        private Func<FlowLine, bool> OfNetwork(NodeView node)
        {
            var key = int.TryParse(Network, out var number) ? number
                : node.Slice.All<Network>().FirstOrDefault(n => n.Id == Network)?.Key
                ?? (Network == Topology.Network.DefaultId ? Topology.Network.DefaultKey : 0);
            var match = $"metadata=0x{key:x}";
            return f => f.Match.Split(',').Contains(match) || f.Actions.Contains($"set_field:0x{key:x}->metadata", StringComparison.Ordinal);
        }
    }
}
