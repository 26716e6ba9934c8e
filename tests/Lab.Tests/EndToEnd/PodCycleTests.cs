using System.Globalization;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Pods that start and end as fast as the plugin can be called leave nothing, not in the agent either. WEFT_TEST_FULL=1 runs 10,000.</summary>
/// <remarks>One family, IPv6: a node's IPv4 range has 253 addresses, which rest for 30 s after their release.</remarks>
[Category("Soak")]
public sealed class PodCycleTests
{
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("cyc", nodes: 1, clusterCidrs: "fd00:10:10::/56");

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task Pods_that_come_and_go_leave_no_descriptor_no_memory_and_no_namespace()
    {
        var cycles = TestLab.Full ? 10_000 : 500;
        var pod = await _lab.PodAsync("node1", "cycle");
        var cni = await _lab.CniAsync("node1");
        var netns = new Netns($"{_lab.Cluster.Layout.Name}-cycle");
        await netns.CreateAsync(CancellationToken.None);
        try
        {
            await CycleAsync(50);
            var state = await Leftovers.ReadAsync(_lab);
            var before = Usage();
            await CycleAsync(cycles);
            var after = before;
            await Eventually.True("as many descriptors and threads as before", () => (after = Usage()).Descriptors <= before.Descriptors + 5 && after.Threads <= before.Threads + 10)
                .ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.Multiple(() =>
            {
                Assert.That(after.Descriptors, Is.LessThanOrEqualTo(before.Descriptors + 5), "descriptors");
                Assert.That(after.Threads, Is.LessThanOrEqualTo(before.Threads + 10), "threads");
                Assert.That(after.Megabytes, Is.LessThanOrEqualTo(before.Megabytes + 40), "resident memory, MB");
                Assert.That(after.Namespaces, Is.EqualTo(before.Namespaces), "namespaces");
            });
            TestContext.Out.WriteLine($"{cycles} cycles: {before} -> {after}");
            var left = state;
            await Eventually.True("the flows, ports, links, addresses and leases of before", async () => (left = await Leftovers.ReadAsync(_lab)).SequenceEqual(state))
                .ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.That(left.Except(state), Is.Empty, "left behind");
            Assert.That(state.Except(left), Is.Empty, "missing");
        }
        finally
        {
            await netns.DeleteAsync(CancellationToken.None);
        }

        async Task CycleAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var sandbox = new Sandbox("default", "cycle", pod.Uid, 1000 + i, netns);
                await cni.RunAsync("ADD", sandbox, CancellationToken.None);
                await cni.RunAsync("DEL", sandbox, CancellationToken.None);
            }
        }
    }

    private (int Descriptors, int Threads, double Megabytes, int Namespaces) Usage()
    {
        var pid = _lab.Cluster.State.Process("node1/agent").Pid;
        return (
            Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length,
            Directory.GetDirectories($"/proc/{pid}/task").Length,
            double.Parse(File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1000,
            _lab.Cluster.Layout.ExistingNamespaces().Count);
    }
}
