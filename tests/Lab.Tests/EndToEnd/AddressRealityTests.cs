using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>No address is given twice: pods of two overlapping tenants and of the default network come and go at random while nodes and controllers are killed.</summary>
/// <remarks>
/// After every hundred creations and deletions the tables are compared with reality: what the controller gave (annotations), what the agents leased (journals),
/// what Kubernetes knows (status), what the switch knows (OVSDB), and what is on the interface in each pod's namespace. WEFT_TEST_FULL=1: 5,000.
/// </remarks>
[Category("Soak")]
public sealed class AddressRealityTests
{
    private const int Batch = 100;
    private const int MostPods = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly string[] Nodes = ["node1", "node2"];
    private static readonly string[] Namespaces = ["red", "blue", "default"];

    private readonly HashSet<(string Namespace, string Name)> _pods = [];
    private TestLab _lab = null!;
    private int _next;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("adr", controllers: 2);
        await _lab.TenantAsync("red", "10.0.0.0/24", "fd00:a::/64");
        await _lab.TenantAsync("blue", "10.0.0.0/24", "fd00:a::/64");
        foreach (var subnet in new[] { "red", "blue" })
        {
            // Kept for the pods that ask for them: others would have them now and then.
            await _lab.KubectlAsync("patch", "subnet", subnet, "--type=merge", "-p", """{"spec":{"excludeIPs":["10.0.0.200..10.0.0.205","fd00:a::200..fd00:a::205"]}}""");
        }
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task No_address_is_given_twice_whatever_comes_goes_and_is_killed()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var operations = TestLab.Full ? 5_000 : 200;
        var crashes = 0;
        var clock = Stopwatch.StartNew();
        for (var done = 0; done < operations; done += Batch)
        {
            // Two crashes at random places of every hundred.
            var at = new[] { random.Next(Batch), random.Next(Batch) };
            var crash = Task.CompletedTask;
            for (var i = 0; i < Batch; i++)
            {
                if (at.Contains(i))
                {
                    await crash;
                    crash = CrashAsync(random);
                    crashes++;
                }

                await StepAsync(random);
            }

            await crash;
            await CompareAsync($"seed {seed}, after {done + Batch} operations and {crashes} crashes");
        }

        TestContext.Out.WriteLine($"seed {seed}: {operations} creations and deletions, {crashes} crashes, {operations / Batch} comparisons in {clock.Elapsed.TotalSeconds:0} s");
    }

    private Task StepAsync(Random random)
    {
        if (_pods.Count > 0 && random.Next(MostPods) < _pods.Count)
        {
            var (ns, name) = _pods.ElementAt(random.Next(_pods.Count));
            _pods.Remove((ns, name));
            return _lab.Api.DeleteAsync($"/api/v1/namespaces/{ns}/pods/{name}", CancellationToken.None);
        }

        var at = Namespaces[random.Next(Namespaces.Length)];
        if (at != "default" && random.Next(4) == 0)
        {
            // One of a few that keep their address, on whatever node they come back.
            var number = 200 + random.Next(6);
            return CreateAsync(random, at, $"fixed-{number}", new JsonObject { ["weft.dev/ip"] = $"10.0.0.{number},fd00:a::{number}" });
        }

        return CreateAsync(random, at, $"p-{_next++}", null);
    }

    private async Task CreateAsync(Random random, string ns, string name, JsonObject? annotations)
    {
        var path = $"/api/v1/namespaces/{ns}/pods";
        if (await _lab.Api.FindAsync($"{path}/{name}", CancellationToken.None) is not null)
        {
            return;
        }

        var json = TenantLab.Json("v1", "Pod", name, new JsonObject
        {
            ["nodeName"] = Nodes[random.Next(Nodes.Length)],
            ["terminationGracePeriodSeconds"] = 0,
            ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "none" }),
        });
        json["metadata"]!["annotations"] = annotations;
        _pods.Add((ns, name));
        await _lab.CreateAsync(path, json);
    }

    private async Task CrashAsync(Random random)
    {
        var node = Nodes[random.Next(Nodes.Length)];
        string[] roles = random.Next(5) switch
        {
            0 or 1 => [$"{node}/agent"],
            2 => [$"{node}/agent", $"{node}/ovs-vswitchd", $"{node}/ovsdb-server"],
            3 => [random.Next(2) == 0 ? "controller" : "controller-2"],
            _ => ["controller", "controller-2", $"{node}/agent"],
        };
        await Task.WhenAll(roles.Select(r => _lab.Cluster.StopAsync(r, force: true, CancellationToken.None)));
        await Task.Delay(random.Next(300));
        foreach (var role in roles.Reverse())
        {
            _lab.Cluster.StartAgain(role);
        }
    }

    private async Task CompareAsync(string when)
    {
        IReadOnlyList<JsonObject> pods = [];
        var missing = "";
        await Eventually.True("every pod that shall be there is ready, and no other is there", async () =>
        {
            pods = [.. (await Task.WhenAll(Namespaces.Select(n => _lab.Api.GetAsync($"/api/v1/namespaces/{n}/pods", CancellationToken.None))))
                .SelectMany(l => l["items"]!.AsArray()).Select(p => p!.AsObject())];
            var views = pods.Select(PodView.Read).ToList();
            missing = string.Join(", ", views.Where(v => !v.Ready || v.Deleting).Select(v => $"{v.Namespace}/{v.Name} {v.Problem}").Take(5));
            return missing.Length == 0 && views.Select(v => (v.Namespace, v.Name)).ToHashSet().SetEquals(_pods);
        }, Patience).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}, {when}: {missing}") : 0, TaskScheduler.Default);

        var real = await Task.WhenAll(pods.Select(PodView.Read).Select(async p => (Pod: p, OnInterface: await AddressesAsync(p.Netns!))));
        foreach (var ns in Namespaces)
        {
            Assert.That(real.Where(r => r.Pod.Namespace == ns).SelectMany(r => r.OnInterface), Is.Unique, $"addresses on the interfaces of {ns}, {when}");
        }

        Assert.That(real.SelectMany(r => r.Pod.Addresses), Is.Unique, $"addresses in Kubernetes, {when}");
        foreach (var (pod, onInterface) in real)
        {
            var source = pods.Single(p => (string)p["metadata"]!["namespace"]! == pod.Namespace && (string)p["metadata"]!["name"]! == pod.Name);
            var given = pod.Namespace == "default"
                ? pod.Addresses
                : JsonNode.Parse((string)source["metadata"]!["annotations"]!["weft.dev/addresses"]!)!["addresses"]!.AsArray().Select(a => IPAddress.Parse((string)a!));
            Assert.That(onInterface, Is.EquivalentTo(given), $"{pod.Namespace}/{pod.Name}: what it was given is what it has, {when}");
            if (pod.Name.StartsWith("fixed-", StringComparison.Ordinal))
            {
                Assert.That(onInterface.Select(a => a.ToString()), Does.Contain("10.0.0." + pod.Name[6..]), when);
            }
        }

        foreach (var node in Nodes)
        {
            var expected = real.Where(r => r.Pod.Node == node).SelectMany(r => r.Pod.Addresses.Select(a => $"{r.Pod.Namespace}/{r.Pod.Name} {a}")).ToList();
            await Eventually.True("leases of removed pods end", async () => (await LeasesAsync(node)).Count <= expected.Count, TimeSpan.FromSeconds(10)).ContinueWith(_ => { }, TaskScheduler.Default);
            var leases = await LeasesAsync(node);
            Assert.That(expected, Is.SubsetOf(leases), $"{node}: what is there is leased, {when}");

            // An ADD that a kill cut short may have left a sandbox, which its runtime removes with the pod at the latest: nobody else has its addresses.
            var left = leases.Except(expected).ToList();
            Assert.That(left.Select(l => l.Split(' ')[0]).Distinct(), Is.SubsetOf(real.Where(r => r.Pod.Node == node).Select(r => $"{r.Pod.Namespace}/{r.Pod.Name}")), $"{node}: leases of pods that are gone, {when}");
            Assert.That(left.Select(l => IPAddress.Parse(l.Split(' ')[1])).Intersect(real.SelectMany(r => r.Pod.Addresses)), Is.Empty, $"{node}: addresses leased twice, {when}");
            Assert.That(leases.Select(l => l.Split(' ')[1]), Is.Unique, $"{node}: the lease table, {when}");
            var ports = (await _lab.OvsAsync(node, "ovs-vsctl", "--bare", "--columns=external_ids", "find", "Interface", "external_ids:weft-owner=pod")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(ports, Has.Length.InRange(expected.Count / 2, leases.Count / 2), $"{node}: ports of the switch, {when}");
        }
    }

    private static async Task<List<IPAddress>> AddressesAsync(Netns netns)
    {
        var shown = await TestLab.InAsync(netns, "ip", "-o", "addr", "show", "dev", "eth0", "scope", "global");
        return [.. shown.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => IPAddress.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3].Split('/')[0]))];
    }

    /// <summary>What a node's journal says is leased: pod and address, one a line (src/Agent/CniServer/Leases/LeaseRecord.cs).</summary>
    private async Task<List<string>> LeasesAsync(string node)
    {
        var held = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        // The agent has it open for itself alone; cat does not ask.
        foreach (var line in (await Shell.RunAsync("cat", [Path.Combine(_lab.Cluster.Layout.NodeFolder(node), "state", "leases.journal")])).Split('\n'))
        {
            if (line.Length < 10 || !int.TryParse(line.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out _) || TryParse(line[9..]) is not { } record)
            {
                // Cut by a kill.
                continue;
            }

            if (record["give"] is { } lease)
            {
                held[$"{lease["containerId"]}/{lease["ifName"]}"] = lease;
            }
            else if (record["release"] is { } ended)
            {
                held.Remove($"{ended["containerId"]}/{ended["ifName"]}");
            }
        }

        return [.. held.Values.SelectMany(l => l["addresses"]!.AsArray().Select(a => $"{l["pod"]} {IPAddress.Parse((string)a!)}")).Order(StringComparer.Ordinal)];
    }

    private static JsonNode? TryParse(string json)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
