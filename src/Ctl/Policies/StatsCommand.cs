using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Ctl.Verification;
using Weft.Topology;

namespace Weft.Ctl.Policies;

/// <summary><c>weftctl policy stats</c>: how many packets and connections each rule decided, from the counters of the switches' flows.</summary>
internal static class StatsCommand
{
    private const string PolicyPrefix = "policy ";

    public static Command Create()
    {
        var policy = new Option<string?>("--policy") { Description = "Only this one: NAMESPACE/NAME, NAME or KIND/NAMESPACE/NAME" };
        var node = new Option<string?>("--node") { Description = "Only this node's counters; all nodes' when it is not given" };
        var output = OutputOption.Create();
        var command = new Command("stats", "Count the packets and connections that each rule of a policy decided, and what isolation dropped, since the flows are in the switches.")
        {
            policy, node, output,
        };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var directory = await NodeDirectory.LoadAsync(cluster, ct);
            var (rules, drops) = (new SortedDictionary<string, RuleCount>(StringComparer.Ordinal), new SortedDictionary<string, IsolationCount>(StringComparer.Ordinal));
            foreach (var name in result.GetValue(node) is { } one ? [directory.Node(one)] : directory.NodeNames)
            {
                var view = await directory.ViewAsync(name, ct);
                Count(view, await view.FlowsAsync(ct), result.GetValue(policy), rules, drops);
            }

            Write([.. rules.Values], [.. drops.Values], result.GetValue(output));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Count(
        NodeView node, IReadOnlyList<FlowLine> flows, string? wanted, SortedDictionary<string, RuleCount> rules, SortedDictionary<string, IsolationCount> drops)
    {
        var policies = node.Slice.All<Policy>().Where(p => wanted is null || p.Id == wanted || p.Id.EndsWith("/" + wanted, StringComparison.Ordinal)).ToDictionary(p => p.Id, StringComparer.Ordinal);

        // Rules that no packet met are shown with zeros.
        foreach (var (policy, rule) in policies.Values.SelectMany(p => p.Rules.Select(r => (p, r))))
        {
            rules.TryAdd(KeyOf(policy, rule), new RuleCount(RuleRef.Of(policy, rule), rule.Action, 0, 0));
        }

        foreach (var flow in flows.Where(f => Cookies.IsOurs(f.Cookie)))
        {
            var owner = node.Owners.Of(flow.Cookie);
            if (Cookies.FeatureOf(flow.Cookie) == FlowFeature.Policy && owner.StartsWith(PolicyPrefix, StringComparison.Ordinal)
                && policies.GetValueOrDefault(owner[PolicyPrefix.Length..]) is { } policy && SwitchDecision.RuleOf(policy, flow.Cookie, flow.Match) is { } rule)
            {
                var isFirst = flow.Match.Contains("ct_state=+new", StringComparison.Ordinal);
                var before = rules[KeyOf(policy, rule)];
                rules[KeyOf(policy, rule)] = before with { Packets = before.Packets + flow.Packets, Connections = before.Connections + (isFirst ? flow.Packets : 0) };
            }
            else if (Cookies.FeatureOf(flow.Cookie) == FlowFeature.Isolation)
            {
                var direction = flow.Table == Tables.EgressPolicy.Id ? Direction.Egress : Direction.Ingress;
                var pod = owner.Replace(PodFlows.OwnerOf(""), "", StringComparison.Ordinal);
                var by = policies.Values.Where(p => (direction == Direction.Ingress ? p.IsolatesIngress : p.IsolatesEgress)
                    && node.Slice.Find<PortSet>(ItemKind.PortSet, p.AppliedTo)?.Ports.Contains(pod) == true).Select(p => p.Id).Order(StringComparer.Ordinal).ToList();
                if (by.Count > 0)
                {
                    var before = drops.GetValueOrDefault($"{pod} {direction}")?.Packets ?? 0;
                    drops[$"{pod} {direction}"] = new IsolationCount(pod, direction, by, before + flow.Packets);
                }
            }
        }
    }

    private static string KeyOf(Policy policy, PolicyRule rule) => string.Create(CultureInfo.InvariantCulture, $"{policy.Id} {rule.Direction} {rule.Index:D6}");

    private static void Write(List<RuleCount> rules, List<IsolationCount> drops, OutputFormat format)
    {
        if (format != OutputFormat.Table)
        {
            Printer.Write(new JsonObject
            {
                ["rules"] = new JsonArray([.. rules.Select(r => (JsonNode)r.ToJson())]), ["isolation"] = new JsonArray([.. drops.Select(d => (JsonNode)d.ToJson())]),
            }, format);
            return;
        }

        static string Number(long n) => n.ToString(CultureInfo.InvariantCulture);
        Printer.WriteColumns(["Rule", "Action", "Packets", "Connections"], rules.Select(r => (IReadOnlyList<string>)[r.Rule.ToString(), $"{r.Action}", Number(r.Packets), Number(r.Connections)]));
        Console.Out.WriteLine();
        Printer.WriteColumns(["Isolated pod", "Direction", "Dropped", "By"], drops.Select(d => (IReadOnlyList<string>)
            [d.Pod, d.Direction.ToString().ToLowerInvariant(), Number(d.Packets), string.Join(", ", d.Policies)]));
    }

    /// <summary>What a rule decided: packets of the direction in which connections were opened, and first packets among them.</summary>
    private sealed record RuleCount(RuleRef Rule, RuleAction Action, long Packets, long Connections)
    {
        public JsonObject ToJson()
        {
            var json = Rule.ToJson();
            json["action"] = Action.ToString();
            json["packets"] = Packets;
            json["connections"] = Connections;
            return json;
        }
    }

    /// <summary>What no rule allowed to or from an isolated pod.</summary>
    private sealed record IsolationCount(string Pod, Direction Direction, IReadOnlyList<string> Policies, long Packets)
    {
        public JsonObject ToJson() => new()
        {
            ["pod"] = Pod, ["direction"] = Direction.ToString().ToLowerInvariant(), ["packets"] = Packets, ["policies"] = new JsonArray([.. Policies.Select(p => (JsonNode)p)]),
        };
    }
}
