using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <content>Peerings, and connections that live while they end.</content>
public sealed partial class TenantTests
{
    private const int ForeverPort = 81;

    [Test]
    public async Task A_peering_opens_two_Vpcs_and_its_end_stops_live_connections()
    {
        var (red, green) = (Of("red"), Of("green"));
        await _lab.PeerAsync("red", "green");
        await _lab.ConditionAsync("vpcpeerings", "red-green", "True", "Ready");
        foreach (var family in Families)
        {
            foreach (var (from, to) in from a in red from b in green from both in new[] { (a, b), (b, a) } select both)
            {
                await Eventually.True($"{from} reaches {to}", async () => await from.Probe.TcpAsync(new IPEndPoint(to.Address(family), 80), Short) is { Outcome: ProbeOutcome.Connected } r && r.Server == to.Id, TimeSpan.FromSeconds(10));
                Assert.That((await from.Probe.PingAsync(to.Address(family))).Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} pings {to}");
            }
        }

        Assert.That((await Of("blue")[0].Probe.TcpAsync(new IPEndPoint(green[0].V4, 80), Short)).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected), "blue has no part in it");
        await using var echo = await ForeverAsync(green[1]);
        var live = await Task.WhenAll(Families.Select(f => ConnectAsync(red[0], green[1].Address(f), ForeverPort)));
        foreach (var connection in live)
        {
            Assert.That(await AskAsync(connection), Is.EqualTo("x"), "the connection lives");
        }

        await _lab.Api.DeleteAsync("/apis/weft.dev/v1alpha1/vpcpeerings/green-red", CancellationToken.None);
        var clock = Stopwatch.StartNew();
        var ended = await Task.WhenAll(live.Select(async connection =>
        {
            var last = TimeSpan.Zero;
            while (await AskAsync(connection) is not null && clock.Elapsed < TimeSpan.FromSeconds(10))
            {
                last = clock.Elapsed;
            }

            return last;
        }));
        TestContext.Out.WriteLine($"the last answers on live connections came {string.Join(" and ", ended.Select(e => $"{e.TotalMilliseconds:0}"))} ms after the end of the peering");
        Assert.That(ended, Has.All.LessThan(TimeSpan.FromSeconds(TestLab.Full ? 1 : 5)), "live connections end");
        Array.ForEach(live, c => c.Dispose());
        await _lab.ConditionAsync("vpcpeerings", "red-green", "False", "PeerMissing");
        await Eventually.True("new connections end", async () => (await red[0].Probe.PingAsync(green[1].V4, timeout: Short)).Outcome != ProbeOutcome.Connected, TimeSpan.FromSeconds(10));
        await _lab.Api.DeleteAsync("/apis/weft.dev/v1alpha1/vpcpeerings/red-green", CancellationToken.None);
    }

    /// <summary>A server that gives back what it is sent, for as long as the connection lives.</summary>
    private static async Task<TcpEcho> ForeverAsync(TenantPod pod)
    {
        var socket = await pod.Probe.OpenAsync(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        socket.DualMode = true;
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, ForeverPort));
        socket.Listen();
        return new TcpEcho(socket);
    }

    private static async Task<Socket> ConnectAsync(TenantPod from, IPAddress to, int port)
    {
        var socket = await from.Probe.OpenAsync(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(to, port));
        return socket;
    }

    /// <summary>What the server says on an open connection; null: nothing comes.</summary>
    private static async Task<string?> AskAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var buffer = new byte[256];
        try
        {
            await socket.SendAsync("x"u8.ToArray(), limit.Token);
            return System.Text.Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, limit.Token));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
