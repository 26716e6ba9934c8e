using System.Text.Json.Nodes;
using Weft.Ctl.WhatIf;

namespace Weft.Policy.Tests;

/// <summary>Random clusters with everything that decides about reachability: <c>weftctl policy check</c> answers as the APIs' texts say.</summary>
public sealed class WorldTests
{
    private static readonly string[] Ports = ["80/TCP", "8080/TCP", "53/UDP", "80/SCTP"];

    private static int Worlds => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 20_000 : 1500;

    [Test]
    public void Every_pair_of_every_cluster_is_decided_as_the_texts_say()
    {
        var (allowed, denied, next) = (0, 0, 0);
        var wrong = new List<string>();
        Parallel.For(0, Worlds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, _ =>
        {
            var seed = Interlocked.Increment(ref next);
            var world = new World(seed);
            var manifests = new Manifests();
            manifests.Read(world.Text, "world");
            var cluster = VirtualCluster.Of(manifests);
            var answer = Reachability.Of(cluster, [.. Ports.Select(PortQuestion.Parse)]);
            var pods = cluster.Pods.Select(p => PodOf(world, p)).ToList();
            var rules = new WorldRules(world.Objects);
            foreach (var result in answer.Results)
            {
                var (port, protocol) = (int.Parse(result.Port.Split('/')[0], null), result.Port.Split('/')[1]);
                for (var from = 0; from < pods.Count; from++)
                {
                    for (var to = 0; to < pods.Count; to++)
                    {
                        var expected = rules.Allows(pods[from], pods[to], port, protocol);
                        Interlocked.Increment(ref expected ? ref allowed : ref denied);
                        if (result.Allowed[from][to] != expected)
                        {
                            lock (wrong)
                            {
                                wrong.Add($"world {seed}: {pods[from].Id} -> {pods[to].Id} {result.Port}: {!expected} instead of {expected}\n{(wrong.Count > 0 ? "" : world.Text)}");
                            }
                        }
                    }
                }
            }
        });
        Assert.That(wrong, Is.Empty, () => $"{wrong.Count} wrong\n{string.Join("\n", wrong.Take(12))}");
        Assert.That(allowed, Is.GreaterThan(10_000));
        Assert.That(denied, Is.GreaterThan(10_000));
        TestContext.Out.WriteLine($"{Worlds} clusters, {allowed} pairs allowed, {denied} denied");
    }

    private static WorldPod PodOf(World world, VirtualPod pod)
    {
        // Of two manifests of one name the last counts, as with kubectl apply.
        var manifest = world.Objects.Last(o => (string)o["kind"]! == "Pod" && $"{o["metadata"]!["namespace"]}/{o["metadata"]!["name"]}" == pod.Id);
        var isHost = (bool?)manifest["spec"]!["hostNetwork"] == true;
        var given = manifest["status"]!["podIPs"] is JsonArray all ? all.Select(a => (string)a!["ip"]!).ToList() : [];
        if (!isHost && given.Count > 0)
        {
            Assert.That(pod.Addresses.Select(a => a.ToString()), Is.EqualTo(given.Select(a => System.Net.IPAddress.Parse(a).ToString())));
        }

        return new WorldPod(pod.Id, manifest, pod.Node, isHost, pod.Addresses);
    }
}
