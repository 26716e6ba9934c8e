using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Weft.Agent.Dns;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Tests.Plan;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Fuzzing;

/// <summary>Damages lines of the node stream and lets an agent's facts and plan take them.</summary>
/// <remarks>
/// A line is refused with one of the errors after which the agent asks for a snapshot, or taken; what is taken never throws in the plan and
/// names what it could not plan. When the right items are there again the plan is exactly what it was. A finding is anything else, more than a
/// second or 100 MB for one line.
/// </remarks>
internal sealed class FrameFuzzer(int seed)
{
    private const long MostAllocated = 100_000_000;
    private const int CompareEvery = 500;

    private static readonly TopologyItem[] Items =
    [
        PlanCases.Settings, PlanCases.Endpoint(1), PlanCases.Endpoint(2), PlanCases.Logical("a"), PlanCases.Logical("b"),
        new Network { Id = Network.DefaultId, Key = Network.DefaultKey },
        new Network { Id = "blue", Key = 15, SharedServices = ["default/web"], Peers = [new NetworkPeer(16, ["10.0.0.0/24"], ["10.1.0.0/24"])] },
        new LogicalRouter { Id = "blue", NetworkKey = 15, Switches = ["blue/s"], Routes = [new StaticRoute("0.0.0.0/0", "10.0.0.9")] },
        new LogicalSwitch { Id = "node1", NetworkKey = 1, Node = "node1", Subnets = [new SwitchSubnet("10.244.1.0/24", "10.244.1.1")] },
        new LogicalSwitch { Id = "blue/s", NetworkKey = 15, Subnets = [new SwitchSubnet("10.0.0.0/24", "10.0.0.1")], Private = true, Allowed = ["10.0.0.0/25"], Mtu = 1300 },
        new LogicalPort { Id = "blue/p", Uid = "uid-p", Node = "node1", NetworkKey = 15, Switch = "blue/s", Key = 9, Addresses = ["10.0.0.7"], Mac = "0a:58:0a:00:00:07" },
        new LogicalPort { Id = "blue/q", Uid = "uid-q", Node = "node2", NetworkKey = 15, Switch = "blue/s", Key = 10, Addresses = ["10.0.0.8"], Mac = "0a:58:0a:00:00:08" },
        new AddressSet { Id = "peers", Addresses = ["10.244.1.11", "10.244.2.0/24", "fd00:10:244:2::5"] },
        new PortSet { Id = "pods", Ports = ["default/a", "default/b"] },
        new EndpointSet
        {
            Id = "web", Endpoints =
            [
                new Endpoint { Address = "10.244.1.11", Port = 8080, Node = "node1", ForZones = ["z"] }, new Endpoint { Address = "10.244.2.12", Port = 8080, Node = "node2", Terminating = true },
            ],
        },
        new LoadBalancer
        {
            Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web", NodePort = 30080, ExternalIps = ["192.0.2.1"], LoadBalancerIps = ["192.0.2.2"],
            Announced = ["192.0.2.2"], Announcer = "node1", SourceRanges = ["192.0.0.0/16"], AffinitySeconds = 100, ExternalLocal = true, HealthCheckNodePort = 31000,
        },
        new LoadBalancer { Id = "default/dns/53/4", Service = "kube-system/kube-dns", Key = 8, Port = 53, ClusterIp = "10.96.0.10", Endpoints = "web", Protocol = Protocol.Udp },
        new Policy
        {
            Id = "NetworkPolicy/default/p", Key = 3, AppliedTo = "pods", IsolatesIngress = true, IsolatesEgress = true, LogDrops = true,
            Rules =
            [
                new PolicyRule { PeerSets = ["peers"], IpBlocks = [new IpBlock("10.0.0.0/8", ["10.244.0.0/16"])], Ports = [new PortRange(Protocol.Tcp, 80, 99)] },
                new PolicyRule { Direction = Direction.Egress, AnyPeer = true, Ports = [new PortRange(Protocol.Udp, 53, 53), new PortRange(Protocol.Sctp, 0, 0)] },
            ],
        },
        new Policy { Id = "AdminNetworkPolicy//q", Key = 4, Tier = PolicyTier.Admin, Priority = 10, AppliedTo = "pods", Rules = [new PolicyRule { Action = RuleAction.Deny, PeerSets = ["peers"] }] },
        new DnsName { Id = "blue/db", NetworkKey = 15, Addresses = ["10.0.0.7"], Hosts = [new DnsHost("db-0", ["10.0.0.7"])] },
    ];

    private readonly Random _random = new(seed);
    private readonly TextMutator _mutator = new(new Random(seed));
    private readonly string[] _lines = [.. Items.Select(i => Line(new Delta(2) { Upserts = [i] })), .. Others.Select(Line)];
    private readonly FlowPlanner _planner = new();
    private NodeFacts _facts = PlanCases.Facts(Items, PlanCases.Pod("a", 10, 1), PlanCases.Pod("b", 11, 2));
    private SliceBuilder _builder = new(Slice.Empty);

    private static Frame[] Others =>
    [
        new SnapshotBegin("e", 1), new SnapshotItem(Items[0]), new SnapshotEnd("e", 1), new Alive(3), new Resumed("e", 4),
        new Delta(3) { Patches = [new SetPatch { Kind = ItemKind.AddressSet, Id = "peers", Add = ["10.0.0.1"], Remove = ["10.244.1.11"] }] },
        new Delta(4) { Patches = [new SetPatch { Kind = ItemKind.EndpointSet, Id = "web", AddEndpoints = [new Endpoint { Address = "10.244.2.9", Port = 1 }] }], Deletes = [ItemRef.Of(Items[4])] },
    ];

    /// <summary>Lines that were refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Lines after which something could not be planned.</summary>
    public int NotPlanned { get; private set; }

    /// <summary>Runs <paramref name="count"/> lines; the findings as text, with the line.</summary>
    public List<string> Run(int count)
    {
        _builder = new SliceBuilder(_facts.Slice);
        _planner.PlanAll(_facts);
        var right = Fingerprint();
        var findings = new List<string>();
        for (var i = 0; i < count && findings.Count < 10; i++)
        {
            var line = _lines[_random.Next(_lines.Length)];
            line = _random.Next(3) == 0 ? _mutator.Characters(line, _random.Next(1, 4)) : _mutator.Json(line, _random.Next(1, 4));
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            try
            {
                Take(line);
            }
            catch (Exception e)
            {
                findings.Add($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}\n{line}");
            }

            if (GC.GetAllocatedBytesForCurrentThread() - allocated > MostAllocated || Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(1))
            {
                findings.Add($"{GC.GetAllocatedBytesForCurrentThread() - allocated} bytes, {Stopwatch.GetElapsedTime(started)}: {line}");
            }

            if (i % CompareEvery == 0 && Fingerprint() is var now && !now.SetEquals(right))
            {
                findings.Add($"line {i}: with the right items again the plan is another:\n{string.Join('\n', now.Except(right).Concat(right.Except(now)).Take(10))}\nafter {line}");
            }
        }

        return findings;
    }

    private static string Line(Frame frame) => JsonSerializer.Serialize(frame, TopologyJson.Default.Frame);

    private void Take(string line)
    {
        SliceChange? change;
        try
        {
            change = _builder.Take(FrameLine.Parse(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(line))));
        }
        catch (Exception e) when (FrameLine.IsNonsense(e))
        {
            Refused++;
            _builder.Abandon();
            return;
        }

        if (change is null)
        {
            _builder.Abandon();
            return;
        }

        Plan(change);
        NotPlanned += _planner.NotPlanned.Any() ? 1 : 0;

        // As the agent does in each round, and for each question of a tenant's pod.
        HostPlanner.Plan(_facts, 1400, _planner.HostServices);
        TenantNames.Find(_facts, 15, "db-0.db.blue.svc.cluster.local");
        Heal(change);
    }

    private void Plan(SliceChange change)
    {
        _facts = _facts with { Slice = change.Slice };
        _planner.PlanItems(_facts, change.Changed);
    }

    private void Heal(SliceChange change)
    {
        var healed = _builder.Take(new Delta(1)
        {
            Upserts = Items.Where(i => change.Changed.Contains(ItemRef.Of(i))).ToEquatableArray(),
            Deletes = change.Changed.Where(c => !Items.Any(i => ItemRef.Of(i) == c)).ToEquatableArray(),
        })!;
        Plan(healed);
    }

    private HashSet<string> Fingerprint() => [.. _planner.Flows.All.Select(f => f.Value.ToString()), .. _planner.Groups.All.Select(g => g.Value.ToString()!), .. _planner.NotPlanned.Select(p => p.Key)];
}
