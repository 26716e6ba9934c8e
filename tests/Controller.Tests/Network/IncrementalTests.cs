using FsCheck;
using FsCheck.Fluent;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>Whatever happened before, the result is what computing from nothing gives, and every reader ends there.</summary>
public sealed class IncrementalTests
{
    private static readonly string[] NodeNames = ["n1", "n2", "n3"];
    private static readonly ClusterSettings Settings = new() { Id = ClusterSettings.TheId };

    private static int Histories => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 2000 : 150;

    [Test]
    public void Incremental_computation_equals_computation_from_nothing_at_every_step([Values] bool tenants) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(120), seeds => CompareAtEveryStep(seeds, tenants)));

    [Test]
    public void A_peer_that_has_pods_of_its_own_on_a_node_brings_its_other_peers() =>
        CompareAtEveryStep([549050, 927498, 240435, 960513, 269488, 375806, 145412, 118724, 126484, 340991, 377835], tenants: true);

    [Test]
    public void Readers_that_come_and_go_at_random_end_with_the_same_state([Values] bool tenants)
    {
        var (snapshots, deltas) = (0, 0);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(200), seeds =>
        {
            var (cluster, network) = Start(tenants);
            var readers = NodeNames.ToDictionary(n => n, n => new SliceReader(n));
            foreach (var seed in seeds)
            {
                cluster.Step(seed, network);
                if (seed % 3 != 0)
                {
                    network.Commit();
                }

                foreach (var (node, reader) in readers)
                {
                    if (seed % 3 != 0 && (seed + node[1]) % 4 == 0)
                    {
                        reader.CatchUp(network);
                        Assert.That(reader.Items, Is.EqualTo(SliceReader.Normalise(network.Snapshot(node))), () => $"{node} after {seed}: {Difference([.. reader.Items.Values], [.. SliceReader.Normalise(network.Snapshot(node)).Values])}");
                        Assert.That(reader.Digest, Is.EqualTo(network.Digest(node)), $"digest of {node} after {seed}");
                    }
                }
            }

            snapshots += readers.Values.Sum(r => r.Snapshots);
            deltas += readers.Values.Sum(r => r.Deltas);
        }));
        Assert.That(deltas, Is.GreaterThan(snapshots), "most reads must be deltas, or this test proves little");
    }

    [Test]
    public void Telling_everything_again_changes_nothing()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(80), seeds =>
        {
            var (cluster, network) = Start();
            seeds.ToList().ForEach(s => cluster.Step(s, network));
            network.Commit();
            foreach (var node in NodeNames)
            {
                network.Snapshot(node);
            }

            var revision = network.Revision;
            cluster.TellAll(1, network);
            Assert.That(network.Revision, Is.EqualTo(revision));
        }));
    }

    [Test]
    public void Deleting_everything_leaves_only_what_every_node_has()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(80), seeds =>
        {
            var (cluster, network) = Start();
            seeds.ToList().ForEach(s => cluster.Step(s, network));
            cluster.Pods.Keys.ToList().ForEach(network.RemovePod);
            cluster.Policies.Keys.ToList().ForEach(network.RemovePolicy);
            cluster.Services.Keys.ToList().ForEach(network.RemoveService);
            cluster.Slices.Keys.ToList().ForEach(network.RemoveEndpointSlice);
            network.Commit();
            Assert.That(network.PodCount + network.PolicyCount + network.ServiceCount, Is.Zero);
            foreach (var node in cluster.Nodes.Keys)
            {
                Assert.That(network.Snapshot(node).Where(i => i is LogicalPort or PortSet or AddressSet or Policy or LoadBalancer or EndpointSet), Is.Empty);
            }
        }));
    }

    [Test]
    public void Nodes_decide_about_every_packet_as_the_API_says()
    {
        var decisions = new Dictionary<bool, int> { [true] = 0, [false] = 0 };
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(150), seeds =>
        {
            var (cluster, network) = Start();
            seeds.ToList().ForEach(s => cluster.Step(s, network));
            network.Commit();
            var slices = NodeNames.ToDictionary(n => n, network.Snapshot);
            // Addresses of more than one pod have no defined owner: leave them out.
            var pods = cluster.Pods.Values.Where(p => IsActive(p) && cluster.Nodes.ContainsKey(p.Spec!.NodeName!)).ToList();
            var owned = cluster.Pods.Values.Where(IsActive).SelectMany(p => p.Status!.PodIPs!.Select(i => (Ip: i.Ip!, Pod: p))).ToLookup(o => o.Ip, o => o.Pod);
            foreach (var from in pods)
            {
                foreach (var to in pods)
                {
                    foreach (var (protocol, port) in new[] { (Protocol.Tcp, 80), (Protocol.Tcp, 81), (Protocol.Udp, 53), (Protocol.Tcp, 53), (Protocol.Sctp, 7) })
                    {
                        if (UniqueIp(from, owned) is { } fromIp && UniqueIp(to, owned) is { } toIp)
                        {
                            var expected = ReachabilityOracle.ByObjects(cluster, from, fromIp, to, toIp, protocol, port);
                            var egress = ReachabilityOracle.BySlice(slices[from.Spec!.NodeName!], Direction.Egress, Id(from), toIp, protocol, port);
                            var ingress = ReachabilityOracle.BySlice(slices[to.Spec!.NodeName!], Direction.Ingress, Id(to), fromIp, protocol, port);
                            Assert.That((egress, ingress), Is.EqualTo(expected), $"{Id(from)} -> {Id(to)} {protocol}/{port}");
                            decisions[egress && ingress]++;
                        }
                    }
                }
            }
        }));
        Assert.That(decisions.Values, Has.All.GreaterThan(100), "both answers must occur, or this test proves little");
    }

    /// <summary>Why an agent needs no word that it should wait: CNI ADD waits for the port, and with the port, in one step, comes all that restricts it.</summary>
    [Test]
    public void A_port_comes_in_one_step_with_every_policy_that_selects_it_and_what_these_name()
    {
        var checkedPairs = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(150), seeds =>
        {
            var (cluster, network) = Start();
            var readers = NodeNames.ToDictionary(n => n, n => new SliceReader(n));
            foreach (var seed in seeds)
            {
                cluster.Step(seed, network);
                network.Commit();
                foreach (var reader in readers.Values)
                {
                    var before = reader.Items.Keys.ToHashSet();
                    reader.CatchUp(network);
                    var items = reader.Items.Values.ToList();
                    var ids = items.Select(i => i.Id).ToHashSet();
                    foreach (var port in items.OfType<LogicalPort>().Where(p => !before.Contains(ItemRef.Of(p).ToString())))
                    {
                        var (ns, name) = port.Id.Split('/') switch { var parts => (parts[0], parts[1]) };
                        foreach (var (key, _) in cluster.Policies.Where(p => ReachabilityOracle.SelectsPod(p.Value, cluster.Pods[new ObjectKey(ns, name)])))
                        {
                            var policy = items.OfType<Policy>().Single(p => p.Id == $"NetworkPolicy/{key}");
                            Assert.That(items.OfType<PortSet>().Single(s => s.Id == policy.AppliedTo).Ports, Does.Contain(port.Id));
                            Assert.That(policy.Rules.SelectMany(r => r.PeerSets).Distinct(), Is.SubsetOf(ids), "the sets that it names");
                            checkedPairs++;
                        }
                    }
                }
            }
        }));
        Assert.That(checkedPairs, Is.GreaterThan(5 * Histories), "new ports that a policy selects, or this test proves little");
    }

    [Test]
    public void What_a_watch_missed_repeats_or_tells_late_makes_no_difference_after_the_relist([Values] bool tenants) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(OfLength(150), seeds => CompareAfterRelists(seeds, tenants)));

    [TestCase(320816, 245484, 327755, 522303, 410579, 754248)]
    [TestCase(885029, 52410, 236763, 767439, 848148, 969690, 433818)]
    public void A_pod_that_keeps_its_address_in_another_Subnet_is_told_again(params int[] seeds) => CompareAfterRelists(seeds, tenants: true);

    [TestCase(67896, 140381, 106818, 414897, 50257, 787595, 396308, 855545, 567433, 979024, 535964)]
    [TestCase(604111, 596894, 468106, 525035, 40158, 178229, 232775, 415782, 261014, 826875, 676995)]
    public void A_Subnet_that_goes_together_with_the_peering_that_brought_it_is_taken_back(params int[] seeds) => CompareAfterRelists(seeds, tenants: true);

    private static void CompareAtEveryStep(int[] seeds, bool tenants)
    {
        var (cluster, network) = Start(tenants);
        foreach (var seed in seeds)
        {
            cluster.Step(seed, network);
            network.Commit();
            var fresh = new LogicalNetwork(Settings);
            cluster.TellAll(seed, fresh);
            foreach (var node in NodeNames)
            {
                Assert.That(SliceReader.Normalise(network.Snapshot(node)), Is.EqualTo(SliceReader.Normalise(fresh.Snapshot(node))), () => $"{node} after {seed}: {Difference(network.Snapshot(node), fresh.Snapshot(node))}");
            }
        }
    }

    private static void CompareAfterRelists(int[] seeds, bool tenants)
    {
        var (cluster, network) = Start(tenants);
        var watch = new LossyWatch(network);
        watch.Relist(cluster, 0);
        var readers = NodeNames.ToDictionary(n => n, n => new SliceReader(n));
        foreach (var seed in seeds)
        {
            // The cluster moves on for itself; the network learns of it through a watch that is as bad as it may be.
            cluster.Step(seed, new LogicalNetwork(Settings));
            watch.Tell(cluster, seed);
            foreach (var (node, reader) in readers)
            {
                if ((seed + node[1]) % 5 == 0)
                {
                    reader.CatchUp(network);
                }
            }

            if (seed % 11 == 0)
            {
                watch.Relist(cluster, seed);
                var fresh = new LogicalNetwork(Settings);
                cluster.TellAll(seed, fresh);
                foreach (var (node, reader) in readers)
                {
                    reader.CatchUp(network);
                    var full = SliceReader.Normalise(fresh.Snapshot(node));
                    Assert.That(SliceReader.Normalise(network.Snapshot(node)), Is.EqualTo(full), () => $"{node} after {seed}: {Difference(network.Snapshot(node), fresh.Snapshot(node))}");
                    Assert.That(reader.Items, Is.EqualTo(full), $"the agent of {node} after {seed}");
                }
            }
        }
    }

    private static string Difference(IReadOnlyList<TopologyItem> left, IReadOnlyList<TopologyItem> right)
    {
        static HashSet<string> Texts(IEnumerable<TopologyItem> items) =>
            [.. items.Select(i => System.Text.Json.JsonSerializer.Serialize(i, TopologyJson.Default.TopologyItem))];
        var (a, b) = (Texts(left), Texts(right));
        return $"only incremental: {string.Join(' ', a.Except(b))}; only from nothing: {string.Join(' ', b.Except(a))}";
    }

    /// <summary>Histories as seeds of steps; a failing one is made shorter by leaving steps out.</summary>
    private static Arbitrary<int[]> OfLength(int longest) => Arb.From(
        Gen.Choose(1, longest).SelectMany(n => Gen.Choose(1, 1_000_000).ArrayOf(n)),
        seeds => Enumerable.Range(0, seeds.Length).Select(i => seeds.Where((_, at) => at != i).ToArray()));

    private static (RandomCluster Cluster, LogicalNetwork Network) Start(bool tenants = false)
    {
        var (cluster, network) = (new RandomCluster { HasTenants = tenants }, new LogicalNetwork(Settings));
        foreach (var node in NodeNames)
        {
            cluster.Nodes[node] = new V1Node { Metadata = new V1ObjectMeta { Name = node } };
            network.Upsert(cluster.Nodes[node]);
        }

        return (cluster, network);
    }

    private static string? UniqueIp(V1Pod pod, ILookup<string, V1Pod> owned) => pod.Status!.PodIPs!.Select(i => i.Ip!).FirstOrDefault(ip => owned[ip].Count() == 1);

    private static bool IsActive(V1Pod pod) =>
        pod.Spec!.NodeName is not null && pod.Spec.HostNetwork != true && pod.Status!.Phase == "Running";

    private static string Id(V1Pod pod) => ObjectKey.Of(pod).ToString();
}
