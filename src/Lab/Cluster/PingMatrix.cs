using System.Collections.Concurrent;
using System.Net.Sockets;
using Weft.Lab.Probes;

namespace Weft.Lab.Cluster;

/// <summary>Pings between all pods, with all addresses.</summary>
public static class PingMatrix
{
    /// <summary>One ping: positions in the list of pods, and the family.</summary>
    public sealed record Key(int From, int To, AddressFamily Family);

    /// <summary>Pings from every pod to every other, all at the same time; a lost one gets a second try.</summary>
    public static async Task<IReadOnlyDictionary<Key, bool>> RunAsync(IReadOnlyList<PodView> pods, CancellationToken ct)
    {
        var answered = new ConcurrentDictionary<Key, bool>();
        var pings =
            from source in pods.Index()
            where source.Item.Netns is not null
            from target in pods.Index()
            where target.Index != source.Index
            from address in target.Item.Addresses
            select (new Key(source.Index, target.Index, address.AddressFamily), source.Item.Netns, address);
        await Task.WhenAll(pings.Select(async ping =>
        {
            var probe = new NetnsProbe(ping.Netns!);
            var first = await probe.PingAsync(ping.address, ct: ct);
            answered[ping.Item1] = first.Outcome == ProbeOutcome.Connected
                || (await probe.PingAsync(ping.address, ct: ct)).Outcome == ProbeOutcome.Connected;
        }));
        return answered;
    }
}
