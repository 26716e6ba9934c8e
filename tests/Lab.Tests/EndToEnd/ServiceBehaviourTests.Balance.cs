using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <content>How evenly new connections are shared.</content>
public sealed partial class ServiceBehaviourTests
{
    [Test]
    public async Task Connections_are_shared_evenly([Values(3, 10, 100)] int endpoints)
    {
        // Endpoints are ports of one pod: who was chosen is what the switch counted. The client's ports follow each other, as a system takes them.
        const int connections = 10_000;
        var name = $"even-{endpoints}";
        var to = new IPEndPoint(await CreateAsync(name, """ "type":"NodePort" """, 30900 + endpoints), 8000);
        for (var i = 0; i < endpoints; i++)
        {
            await PutSliceAsync(name, 10_000 + i, [(_two.V4.ToString(), "node2", true)], suffix: $"-{i}");
        }

        await Eventually.True("all endpoints in the group", async () => (await ChosenAsync(10_000)).Count == endpoints, TimeSpan.FromSeconds(20));
        var before = await ChosenAsync(10_000);
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Parallel.ForEachAsync(Enumerable.Range(0, 20), cancel.Token, async (part, ct) =>
        {
            for (var i = 0; i < connections / 20; i++)
            {
                using var socket = await _client.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Any, 20_000 + (part * connections / 20) + i));
                var error = await ConnectAsync(socket, to, ct);
                Assert.That(error, Is.EqualTo(SocketError.ConnectionRefused), "the pod answers, and listens on none of these ports");
            }
        });
        Dictionary<int, long> counted = [];
        await Eventually.True("every connection counted", async () =>
        {
            counted = (await ChosenAsync(10_000)).ToDictionary(c => c.Key, c => c.Value - before[c.Key]);
            return counted.Values.Sum() >= connections * 0.99;
        }, TimeSpan.FromSeconds(20));
        var share = counted.Values.Sum() / (double)endpoints;
        var (least, most) = (counted.Values.Min() / share, counted.Values.Max() / share);
        await TestContext.Progress.WriteLineAsync($"{endpoints} endpoints, {counted.Values.Sum()} connections: least {least:0.00}, most {most:0.00} of the share");
        Assert.That(least, Is.GreaterThan(0.75));
        Assert.That(most, Is.LessThan(1.25));
    }

    [GeneratedRegex(@"nat\(dst=[0-9.]+:(\d+)\)")]
    private static partial Regex Translation { get; }

    [GeneratedRegex(@"n_packets=(\d+),.*nat\(dst=[0-9.]+:(\d+)\)")]
    private static partial Regex SlotCount { get; }

    [GeneratedRegex(@"bucket(\d+):packet_count=(\d+)")]
    private static partial Regex BucketCount { get; }

    private async Task<int> TranslationsAsync() =>
        Translation.Count(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", "br-int", "table=42"));

    /// <summary>New connections by endpoint port, from the groups whose endpoints have ports of a range, and the slots of these ports.</summary>
    private async Task<Dictionary<int, long>> ChosenAsync(int firstPort)
    {
        var groups = (await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-groups", "br-int")).Split('\n');
        var stats = (await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-group-stats", "br-int")).Split('\n');
        var counts = new Dictionary<int, long>();
        foreach (var group in groups.Where(g => g.Contains($":{firstPort})", StringComparison.Ordinal)))
        {
            var id = group.Trim().Split(',')[0] + ",";
            var ports = Translation.Matches(group).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
            foreach (Match bucket in BucketCount.Matches(stats.Single(s => s.Contains(id, StringComparison.Ordinal))))
            {
                var port = ports[int.Parse(bucket.Groups[1].Value, CultureInfo.InvariantCulture)];
                counts[port] = counts.GetValueOrDefault(port) + long.Parse(bucket.Groups[2].Value, CultureInfo.InvariantCulture);
            }
        }

        foreach (Match slot in SlotCount.Matches(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", "br-int", "table=42")))
        {
            if (int.Parse(slot.Groups[2].Value, CultureInfo.InvariantCulture) is var port && counts.ContainsKey(port))
            {
                counts[port] += long.Parse(slot.Groups[1].Value, CultureInfo.InvariantCulture);
            }
        }

        return counts;
    }

    private static async Task<SocketError> ConnectAsync(Socket socket, IPEndPoint to, CancellationToken ct)
    {
        try
        {
            await socket.ConnectAsync(to, ct);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }
}
