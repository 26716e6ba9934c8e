using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Ctl.Clusters;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Kubernetes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Policy.Tests;

/// <summary>The cases in a real lab of three nodes, with real packets: TCP and UDP, IPv4 and IPv6, on one node and across nodes.</summary>
/// <remarks>SCTP is left to the other two ways: this kind of machine has none. WEFT_TEST_FULL=1 takes every case instead of every third.</remarks>
public sealed class LabCaseTests
{
    private static readonly TimeSpan Denied = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, PodView> _pods = [];
    private readonly List<ProbeServer> _servers = [];
    private TestLab _lab = null!;

    /// <summary>What an API server refuses cannot be applied.</summary>
    private static IEnumerable<PolicyCase> Cases => PolicyCase.All
        .Where(c => !c.Name.StartsWith("impossible", StringComparison.Ordinal))
        .Where(c => !c.Texts.Exists(t => t.Contains("planets", StringComparison.Ordinal)))
        .Where((_, i) => TestLab.Full || i % 3 == 1);

    private static IEnumerable<Pair> Asked => Cluster.Pairs.Where(p => p.Port != "80/SCTP" && p.From != p.To);

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("pc", nodes: 3);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/files/policy-crds")))
        {
            await _lab.Api.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", YamlText.Documents(await File.ReadAllTextAsync(file))[0].Root.AsObject(), default);
        }

        foreach (var ns in new[] { "x", "y", "z", "empty" })
        {
            await _lab.Api.CreateAsync("/api/v1/namespaces", new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns, ["labels"] = ns == "empty" ? [] : Cluster.LabelsOf(ns) },
            }, default);
        }

        await Task.WhenAll(Cluster.Pods.Select(p => _lab.Api.CreateAsync(PathOf("Pod", p[..1]), Cluster.PodOf(p, withStatus: false), default)));
        foreach (var pod in Cluster.Pods)
        {
            _pods[pod] = await Eventually.Some($"pod {pod} ready", async () =>
            {
                var view = PodView.Read(await _lab.Api.GetAsync($"{PathOf("Pod", pod[..1])}/{pod[2..]}", default));
                return view.Ready && view.Addresses.Count > 1 ? view : null;
            }, Patience);
            _servers.Add(await ProbeServer.StartAsync(_pods[pod].Netns!, pod, [80, 81], [53]));
        }
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Real_packets_get_the_expected_answers(PolicyCase one)
    {
        JsonObject[] policies = [.. one.Policies(AddressOf)];
        try
        {
            foreach (var policy in policies)
            {
                await _lab.Api.CreateAsync(PathOf(policy), (JsonObject)policy.DeepClone(), default);
            }

            var asked = Asked.ToLookup(one.Allows);
            await SettleAsync("allowed", asked[true], connects: true);
            await SettleAsync("denied", asked[false], connects: false);
            await TraceAsync(policies, [.. Sample(asked[true]), .. Sample(asked[false])]);
        }
        finally
        {
            foreach (var policy in policies)
            {
                await _lab.Api.DeleteAsync($"{PathOf(policy)}/{policy["metadata"]!["name"]}", default);
            }
        }
    }

    [Test]
    public void At_least_60_pairs_are_traced() =>
        Assert.That(Cases.Sum(c => Sample(Asked.Where(c.Allows)).Count() + Sample(Asked.Where(p => !c.Allows(p))).Count()), Is.AtLeast(60));

    /// <summary>Three of them, spread over families, ports and pods.</summary>
    private static IEnumerable<Pair> Sample(IEnumerable<Pair> pairs)
    {
        Pair[] all = [.. pairs];
        return Enumerable.Range(1, Math.Min(3, all.Length)).Select(i => all[(i * 7919) % all.Length]).Distinct();
    }

    /// <summary>The trace of every pair ends as its packets did, and names the policies that decide by the specification.</summary>
    private async Task TraceAsync(JsonObject[] policies, IReadOnlyList<Pair> pairs)
    {
        using var cluster = new LabAccess(_lab.Cluster.Layout.Name);
        var wrong = new List<string>();
        // What agents write down for others follows their switches within a second.
        await Eventually.True("every trace gives the right verdict and names the right policies", async () =>
        {
            wrong.Clear();
            var directory = await NodeDirectory.LoadAsync(cluster, default);
            var tracer = new Tracer(directory);
            foreach (var pair in pairs)
            {
                var (protocol, port) = (pair.Port.Split('/')[1].ToLowerInvariant(), int.Parse(pair.Port.Split('/')[0], null));
                var packet = new TracePacket(protocol, IPAddress.Parse(AddressOf(pair.From, pair.Family)), IPAddress.Parse(AddressOf(pair.To, pair.Family)), 40000, port);
                var verdict = (await tracer.TraceAsync(directory.Pod(pair.From), pair.To, packet, default)).Verdict;
                var (sender, receiver) = Deciders.Of(policies, pair, AddressOf);
                if (verdict.IsGood != (sender.Allowed && receiver.Allowed) || !Deciders.Explain(sender, receiver, verdict.Policies))
                {
                    wrong.Add($"{pair}: sender {sender}, receiver {receiver}; {verdict.Sentence} [{string.Join(", ", verdict.Policies)}]");
                }
            }

            return wrong.Count == 0;
        }, TimeSpan.FromSeconds(6)).ContinueWith(t => t.IsFaulted ? throw new AssertionException(string.Join('\n', wrong)) : true, TaskScheduler.Default);
    }

    /// <summary>Asks until every pair has given the answer once; the policies arrive at the nodes within moments.</summary>
    private async Task SettleAsync(string what, IEnumerable<Pair> pairs, bool connects)
    {
        var open = pairs.ToList();
        var until = DateTimeOffset.UtcNow + Patience;
        while (open.Count > 0)
        {
            var wrong = new ConcurrentBag<Pair>();
            await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = 128 }, async (pair, _) =>
            {
                if (await ConnectsAsync(pair, connects ? TimeSpan.FromSeconds(1) : Denied) != connects)
                {
                    wrong.Add(pair);
                }
            });
            open = [.. wrong];
            if (open.Count > 0 && DateTimeOffset.UtcNow > until)
            {
                Assert.Fail($"should be {what}: {string.Join("; ", open.Take(10))}");
            }
        }
    }

    private async Task<bool> ConnectsAsync(Pair pair, TimeSpan timeout)
    {
        var target = new IPEndPoint(IPAddress.Parse(AddressOf(pair.To, pair.Family)), int.Parse(pair.Port.Split('/')[0], null));
        var probe = new NetnsProbe(_pods[pair.From].Netns!);
        var result = pair.Port.EndsWith("UDP", StringComparison.Ordinal) ? await probe.UdpAsync(target, timeout) : await probe.TcpAsync(target, timeout);
        return result.Outcome == ProbeOutcome.Connected;
    }

    private string AddressOf(string pod, AddressFamily family) => _pods[pod].Addresses.First(a => a.AddressFamily == family).ToString();

    private static string PathOf(JsonObject policy) => PathOf((string)policy["kind"]!, (string?)policy["metadata"]!["namespace"]);

    private static string PathOf(string kind, string? ns) => kind switch
    {
        "Pod" => $"/api/v1/namespaces/{ns}/pods",
        "NetworkPolicy" => $"/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies",
        "ClusterNetworkPolicy" => "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
        "AdminNetworkPolicy" => "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
        _ => "/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies",
    };
}
