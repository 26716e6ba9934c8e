using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>The annotations for a pod's bandwidth, felt by packets: what is limited is, whatever restarts, and nobody else.</summary>
public sealed class BandwidthTests
{
    private const double Ingress = 20e6;
    private const double Egress = 10e6;
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("bw", nodes: 1);

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task A_limited_pod_gets_and_sends_what_its_annotations_say_and_others_are_not_limited()
    {
        await _lab.CreatePodAsync("node1", "limited", annotations: new JsonObject { ["kubernetes.io/ingress-bandwidth"] = "20M", ["kubernetes.io/egress-bandwidth"] = "10M" });
        var limited = await _lab.ReadyPodAsync("limited");
        var others = await _lab.PodsAsync("node1", "node1");
        await LimitedAsync("at first");
        Assert.That(await BitsPerSecondAsync(others[0], others[1]), Is.GreaterThan(3 * Ingress), "others");

        await _lab.Cluster.StopAsync("node1/agent", force: true, CancellationToken.None);
        await LimitedAsync("without an agent");
        _lab.Cluster.StartAgain("node1/agent");
        await Eventually.True("the agent answering again", () => _lab.IsAgentReadyAsync("node1"), TimeSpan.FromSeconds(20));
        await LimitedAsync("after the agent's restart");

        await _lab.Cluster.StopAsync("node1/ovs-vswitchd", force: true, CancellationToken.None);
        _lab.Cluster.StartAgain("node1/ovs-vswitchd");
        await Eventually.True("the switch forwarding again", async () => (await limited.Probe.PingAsync(others[0].V4)).Outcome == Probes.ProbeOutcome.Connected, TimeSpan.FromSeconds(30));
        await LimitedAsync("after the switch's restart");

        Assert.That(await _lab.OvsAsync("node1", "ovs-vsctl", "list", "qos"), Is.Not.Empty);
        await _lab.DeletePodAsync("limited");
        await Eventually.True("no row of the limit left", async () => (await _lab.OvsAsync("node1", "ovs-vsctl", "list", "qos") + await _lab.OvsAsync("node1", "ovs-vsctl", "list", "queue")).Trim().Length == 0);

        async Task LimitedAsync(string when)
        {
            Assert.That(await BitsPerSecondAsync(others[0], limited), Is.EqualTo(Ingress).Within(20).Percent, $"{when}: what comes");
            Assert.That(await BitsPerSecondAsync(limited, others[0]), Is.EqualTo(Egress).Within(20).Percent, $"{when}: what is sent");
        }
    }

    /// <summary>Payload of one TCP connection, measured over two seconds after a half.</summary>
    private static async Task<double> BitsPerSecondAsync(TestPod from, TestPod to)
    {
        using var listener = await to.Netns.RunInsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        listener.Listen(1);
        using var sender = await from.Netns.RunInsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await sender.ConnectAsync(to.V4, ((IPEndPoint)listener.LocalEndPoint!).Port);
        using var receiver = await listener.AcceptAsync();
        using var end = new CancellationTokenSource();
        var sending = SendAsync(sender, end.Token);
        var buffer = new byte[64 * 1024];
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(0.5))
        {
            await receiver.ReceiveAsync(buffer);
        }

        long received = 0;
        clock.Restart();
        while (clock.Elapsed < TimeSpan.FromSeconds(2))
        {
            received += await receiver.ReceiveAsync(buffer);
        }

        var rate = received * 8 / clock.Elapsed.TotalSeconds;
        await end.CancelAsync();
        await sending;
        await TestContext.Out.WriteLineAsync($"{from.Name} to {to.Name}: {rate / 1e6:0.0} Mbit/s");
        return rate;
    }

    private static async Task SendAsync(Socket socket, CancellationToken ct)
    {
        var block = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await socket.SendAsync(block, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Measured.
        }
    }
}
