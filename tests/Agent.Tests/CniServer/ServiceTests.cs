using Weft.Agent.CniServer;
using Weft.Agent.Tests.Host;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>The service over its lifetime: restarts, reconciliation, churn, chained plugins.</summary>
public sealed class ServiceTests
{
    private CniBench _bench = null!;

    [SetUp]
    public async Task SetUp() => _bench = await CniBench.StartAsync();

    [TearDown]
    public async Task TearDown() => await _bench.DisposeAsync();

    [Test]
    public async Task A_restart_keeps_running_pods()
    {
        var first = await _bench.CallAsync("ADD");
        await _bench.RestartAsync();
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
        Assert.That(await _bench.CallAsync("ADD"), Is.EqualTo(first));
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("10.10.0.2/24"));
    }

    [Test]
    public async Task A_restart_keeps_the_lease_of_an_interface_that_the_switch_lost_and_ends_that_of_a_dead_one()
    {
        await using var other = await TestNamespace.CreateAsync();
        await _bench.CallAsync("ADD");
        await _bench.CallAsync("ADD", container: "c2", netns: other.Path);
        foreach (var attachment in _bench.Network.Attachments)
        {
            await _bench.Network.DetachAsync(attachment.ContainerId, attachment.IfName, attachment.HostInterface, CancellationToken.None);
        }

        await other.IpAsync("link del eth0");
        await _bench.RestartAsync();
        Assert.That(_bench.Service.Leases.Select(l => l.ContainerId), Is.EqualTo(new[] { "c1" }));
    }

    [Test]
    public async Task A_lost_state_folder_is_made_again_from_the_switch()
    {
        await _bench.CallAsync("ADD");
        await _bench.Service.DisposeAsync();
        File.Delete(Path.Combine(_bench.StateDir, "leases.journal"));
        await _bench.RestartAsync();
        await using var other = await TestNamespace.CreateAsync();
        var reply = await _bench.CallAsync("ADD", container: "c2", netns: other.Path);
        Assert.That(reply.Output, Does.Contain("10.10.0.3/24").And.Contain("fd00:10::3/64"));
    }

    [Test]
    public async Task Containers_that_died_without_DEL_are_noticed_later()
    {
        await _bench.CallAsync("ADD");
        await _bench.RestartAsync(new CniLimits { Reconcile = TimeSpan.FromMilliseconds(50) });
        await _bench.Network.DetachAsync("c1", "eth0", PodInterface.HostNameOf("c1", "eth0"), CancellationToken.None);
        await _bench.Pod.DisposeAsync();
        await Eventually.True("the lease ends", () => _bench.Service.Leases.Count == 0);
    }

    [Test]
    public async Task Random_calls_at_once_leave_nothing_behind()
    {
        var seed = Environment.TickCount;
        var full = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";
        var random = new Random(seed);
        var namespaces = new List<TestNamespace>();
        try
        {
            for (var i = 0; i < 6; i++)
            {
                namespaces.Add(await TestNamespace.CreateAsync());
            }

            // The switch fails now and then, and takes its time.
            var shared = new Random(seed);
            _bench.Network.OnAttach = async (_, ct) =>
            {
                int roll;
                lock (shared)
                {
                    roll = shared.Next(10);
                }

                await Task.Delay(roll, ct);
                if (roll == 0)
                {
                    throw new PodNetworkException(CniErrorCode.TryAgainLater, "rolled");
                }
            };
            for (var round = 0; round < (full ? 1000 : 40); round++)
            {
                await Task.WhenAll(Enumerable.Range(0, 12).Select(_ =>
                {
                    var n = random.Next(namespaces.Count);
                    var command = random.Next(5) < 3 ? "ADD" : "DEL";
                    return _bench.CallAsync(command, container: $"c{n}", pod: $"p{n}", netns: namespaces[n].Path);
                }));
                Assert.That(_bench.Service.Leases.SelectMany(l => l.Addresses), Is.Unique, $"seed {seed}");
                Assert.That(
                    _bench.Service.Leases.Select(l => l.ContainerId).Order(), Is.EqualTo(_bench.Network.Attachments.Select(a => a.ContainerId).Order()), $"seed {seed}");
            }

            await Task.WhenAll(Enumerable.Range(0, namespaces.Count).Select(n => _bench.CallAsync("DEL", container: $"c{n}")));
            Assert.That(_bench.Service.Leases, Is.Empty);
            Assert.That(_bench.Network.Attachments, Is.Empty);
            Assert.That(await _bench.Node.IpAsync("-br link show type veth"), Is.Empty);
        }
        finally
        {
            foreach (var netns in namespaces)
            {
                await netns.DisposeAsync();
            }
        }
    }

    [Test]
    public async Task Descriptors_and_threads_do_not_grow()
    {
        for (var i = 0; i < 20; i++)
        {
            await _bench.CallAsync("ADD");
            await _bench.CallAsync("DEL");
        }

        var before = Directory.GetFiles("/proc/self/fd").Length;
        for (var i = 0; i < 100; i++)
        {
            await _bench.CallAsync("ADD");
            await _bench.CallAsync("DEL");
        }

        await Eventually.True("descriptors are closed", () => Directory.GetFiles("/proc/self/fd").Length <= before + 5);
    }

    [TestCase("portmap", ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]}")]
    [TestCase("tuning", ",\"sysctl\":{\"net.ipv4.conf.eth0.forwarding\":\"1\"}")]
    public async Task The_result_feeds_chained_plugins(string plugin, string extra)
    {
        var path = $"/usr/lib/cni/{plugin}";
        Assume.That(File.Exists(path), $"{path} is not installed (containernetworking-plugins)");
        var added = await _bench.CallAsync("ADD");
        var config = $$"""{"cniVersion":"1.0.0","name":"weft","type":"{{plugin}}"{{extra}},"prevResult":{{added.Output}}}""";
        Task<string> Call(string command) => ChildProcess.RunAsync(
            "ip",
            ["netns", "exec", _bench.Node.Name, path],
            new Dictionary<string, string> { ["CNI_COMMAND"] = command, ["CNI_CONTAINERID"] = "c1", ["CNI_NETNS"] = _bench.Pod.Path, ["CNI_IFNAME"] = "eth0", ["CNI_PATH"] = "/usr/lib/cni" },
            config);
        var result = await Call("ADD");
        Assert.That(result, Does.Contain("10.10.0.2/24").And.Contain("eth0"));

        // Our CHECK reads what the chain made of our result.
        var check = await _bench.CallAsync("CHECK", config: CniBench.Config("1.0.0", $",\"prevResult\":{result}"));
        Assert.That(check, Is.EqualTo(new CniReply()));
        await Call("DEL");
    }
}
