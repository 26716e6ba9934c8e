using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Sync;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Bench.PolicyBench;

/// <summary>The agent's planner and flow synchronisation beside a real switch without packets.</summary>
internal static class PolicyScale
{
    private const int Pods = 250;
    private const int Changes = 50;

    public static async Task RunAsync()
    {
        await using var node = await Node.StartAsync();
        await OneAddressAsync(node);
        await ManyPoliciesAsync(node);
        ManyRanges(node);
    }

    /// <summary>10,000 addresses in one set that 5 policies use; one comes.</summary>
    private static async Task OneAddressAsync(Node node)
    {
        var set = new AddressSet { Id = "all", Addresses = [.. Enumerable.Range(0, 10_000).Select(Address)] };
        await node.ApplyAsync([set, new PortSet { Id = "web", Ports = [PodId(0)] }, .. Enumerable.Range(0, 5).Select(i => Policy(i, "web", ["all"], 80 + i))]);
        var (plan, whole, flows) = (new List<double>(), new List<double>(), 0L);
        for (var i = 0; i < Changes; i++)
        {
            set = set with { Addresses = [.. set.Addresses, Address(10_000 + i)] };
            var sent = node.Flows.FlowsSent;
            var (planned, applied) = await node.ApplyAsync([set]);
            plan.Add(planned);
            whole.Add(applied);
            flows = Math.Max(flows, node.Flows.FlowsSent - sent);
        }

        new Figure("policy.one_address_of_10000_in_5_policies_agent_median", Median(plan), 2, "ms").Print();
        new Figure("policy.one_address_of_10000_in_5_policies_with_the_switch_median", Median(whole), null, "ms").Print();
        new Figure("policy.one_address_of_10000_in_5_policies_flows_sent", flows, 5, "flows").Print();
    }

    private static async Task ManyPoliciesAsync(Node node)
    {
        var items = new List<TopologyItem>();
        for (var i = 0; i < 1000; i++)
        {
            var peers = $"peers-{i}";
            items.Add(new AddressSet { Id = peers, Addresses = [.. Enumerable.Range(0, 100).Select(a => Address((i * 61) + a))] });
            items.Add(new PortSet { Id = $"pods-{i}", Ports = [.. Enumerable.Range(0, 5).Select(p => PodId(((i * 5) + p) % Pods))] });
            items.Add(Policy(100 + i, $"pods-{i}", [peers], 1000 + i));
        }

        var sent = node.Flows.FlowsSent;
        var clock = Stopwatch.GetTimestamp();
        await node.ApplyAsync(items);
        new Figure("policy.1000_policies_of_100_peers_install", Stopwatch.GetElapsedTime(clock).TotalSeconds, 3, "s").Print();
        new Figure("policy.1000_policies_of_100_peers_flows", node.Flows.FlowsSent - sent, null, "flows").Print();
    }

    /// <summary>15,000 ranges, each with an exception, in one rule.</summary>
    private static void ManyRanges(Node node)
    {
        var blocks = Enumerable.Range(0, 15_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"20.{i / 250}.{i % 250}.")).Select(p => new IpBlock(p + "0/24", [p + "128/26"]));
        var policy = Policy(5000, "web", [], 80) with { Id = "NetworkPolicy/default/ranges" };
        policy = policy with { Rules = [policy.Rules[0] with { IpBlocks = [.. blocks] }] };
        var clock = Stopwatch.GetTimestamp();
        node.Plan([policy]);
        new Figure("policy.15000_ranges_with_exceptions_compile", Stopwatch.GetElapsedTime(clock).TotalSeconds, 1, "s").Print();
    }

    private static Policy Policy(int key, string pods, EquatableArray<string> peers, int port) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"NetworkPolicy/default/p{key}"),
        Key = key,
        AppliedTo = pods,
        IsolatesIngress = true,
        Rules = [new PolicyRule { Direction = Direction.Ingress, PeerSets = peers, Ports = [new PortRange(Protocol.Tcp, port, port)] }],
    };

    private static string Address(int i) => string.Create(CultureInfo.InvariantCulture, $"10.{128 + (i / 62_500)}.{i / 250 % 250}.{(i % 250) + 1}");

    private static string PodId(int i) => string.Create(CultureInfo.InvariantCulture, $"default/pod-{i}");

    private static double Median(List<double> all) => all.Order().ElementAt(all.Count / 2);

    private sealed class Node : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly FlowPlanner _planner = new();
        private readonly OvsdbServerProcess _database;
        private readonly VSwitchdProcess _switch;
        private readonly BridgeRows _rows;
        private readonly List<Task> _running = [];
        private NodeFacts _facts;

        private Node(OvsdbServerProcess database, VSwitchdProcess vswitchd)
        {
            (_database, _switch) = (database, vswitchd);
            var options = new AgentOptions { NodeName = "node1", Controllers = ["http://127.0.0.1:1"], Ovsdb = database.Remote, OvsRunDir = database.Folder, DatapathType = "netdev" };
            _rows = new BridgeRows(options, NullLogger<BridgeRows>.Instance);
            Flows = new FlowSync(options, NullLogger<FlowSync>.Instance);
            TopologyItem[] items =
            [
                new ClusterSettings { Id = ClusterSettings.TheId },
                new NodeEndpoint { Id = "node1", Addresses = ["172.31.0.1"], PodCidrs = ["10.64.0.0/16"] },
            ];
            _facts = new NodeFacts
            {
                NodeName = "node1",
                Slice = new Slice { Epoch = "bench", Revision = 1, Items = items.ToImmutableDictionary(ItemRef.Of) },
                Ports = Enumerable.Range(0, Pods).Select(PortOf).ToImmutableDictionary(p => p.Id),
            };
        }

        public FlowSync Flows { get; }

        public static async Task<Node> StartAsync()
        {
            var database = await OvsdbServerProcess.StartAsync();
            var node = new Node(database, await VSwitchdProcess.StartAsync(database));
            node._running.Add(node._rows.RunAsync(_ => { }, node._stop.Token));
            await Eventually.True("the bridge", async () =>
            {
                await node._rows.EnsureInfrastructureAsync(node._facts, CancellationToken.None);
                return node._rows.Find("weft-gw0")?.OfPort is > 0;
            });
            node._planner.PlanAll(node._facts);
            node._running.Add(node.Flows.RunAsync(() => { }, node._stop.Token));
            await Eventually.True("the first flows", () => node.Flows.ApplyAsync(node._planner.Flows, node._planner.Groups, CancellationToken.None));
            return node;
        }

        public void Plan(IReadOnlyList<TopologyItem> items)
        {
            _facts = _facts with { Slice = _facts.Slice with { Items = _facts.Slice.Items.SetItems(items.Select(i => KeyValuePair.Create(ItemRef.Of(i), i))) } };
            _planner.PlanItems(_facts, [.. items.Select(ItemRef.Of)]);
        }

        /// <returns>Milliseconds until planned, and until the switch confirmed.</returns>
        public async Task<(double Planned, double Applied)> ApplyAsync(IReadOnlyList<TopologyItem> items)
        {
            var clock = Stopwatch.GetTimestamp();
            Plan(items);
            var planned = Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
            if (!await Flows.ApplyAsync(_planner.Flows, _planner.Groups, CancellationToken.None))
            {
                throw new InvalidOperationException("the switch is gone");
            }

            return (planned, Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_running);
            await Flows.DisposeAsync();
            await _rows.DisposeAsync();
            await _switch.DisposeAsync();
            await _database.DisposeAsync();
            _stop.Dispose();
        }

        private static AttachedPort PortOf(int i) => new(
            new Attachment
            {
                Pod = PodId(i),
                ContainerId = string.Create(CultureInfo.InvariantCulture, $"c{i}"),
                IfName = "eth0",
                Netns = "",
                HostInterface = string.Create(CultureInfo.InvariantCulture, $"w{i}"),
                Mac = string.Create(CultureInfo.InvariantCulture, $"0a:58:0a:40:{i >> 8:x2}:{i & 255:x2}"),
                Addresses = [string.Create(CultureInfo.InvariantCulture, $"10.64.{(i + 2) >> 8}.{(i + 2) & 255}")],
            },
            i + 1);
    }
}
