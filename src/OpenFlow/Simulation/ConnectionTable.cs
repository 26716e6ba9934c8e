using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>A small connection tracker: remembers committed connections by zone and tuple, with mark, label and translation.</summary>
/// <remarks>A connection is +new until a reply was seen, then +est; replies are +rpl. No time passes and TCP flags are not looked at. Not safe for concurrent use.</remarks>
public sealed class ConnectionTable
{
    private readonly Dictionary<(ushort Zone, Tuple5 Tuple), (Connection Connection, bool Reply)> _entries = [];

    /// <summary>How many connections are committed.</summary>
    public int Count => _entries.Values.Select(e => e.Connection).Distinct().Count();

    /// <summary>Forgets everything.</summary>
    public void Clear() => _entries.Clear();

    /// <summary>Sends a packet through the tracker: fills its ct fields, translates it, and commits it where asked.</summary>
    internal void Track(SimulatedPacket packet, Conntrack ct, ushort zone, Action<SimulatedPacket> exec)
    {
        var tuple = Tuple5.Of(packet);
        var state = CtStateFlags.Tracked;
        if (_entries.TryGetValue((zone, tuple), out var entry) && ct is { Commit: true, Force: true } && entry.Reply)
        {
            Remove(zone, entry.Connection);
            entry = default;
        }

        var connection = entry.Connection;
        if (connection is null)
        {
            state |= CtStateFlags.New;
            connection = new Connection(tuple);
        }
        else
        {
            connection.SeenReply |= entry.Reply;
            state |= connection.SeenReply ? CtStateFlags.Established : CtStateFlags.New;
            state |= entry.Reply ? CtStateFlags.Reply : 0;
        }

        if (ct.Commit && entry.Connection is null)
        {
            var translated = ct.Nat is { Kind: not NatKind.Existing } nat ? Translate(tuple, nat) : tuple;
            connection.Translated = translated;
            connection.IsSource = ct.Nat?.Kind == NatKind.Source;
            _entries[(zone, tuple)] = (connection, false);
            _entries[(zone, translated.Reversed())] = (connection, true);
        }

        if (ct.Nat is not null && connection.Translated is { } target)
        {
            (entry.Reply ? connection.Original.Reversed() : target).Apply(packet);
            state |= target == connection.Original ? 0 : connection.IsSource != entry.Reply ? CtStateFlags.SourceNat : CtStateFlags.DestinationNat;
        }

        packet[F.CtState] = (uint)state;
        packet[F.CtZone] = zone;
        packet[F.CtMark] = connection.Mark;
        packet[F.CtLabel] = connection.Label;
        connection.Original.ApplyOriginal(packet);
        if (ct.Commit)
        {
            exec(packet);
            connection.Mark = packet[F.CtMark];
            connection.Label = packet[F.CtLabel];
        }
    }

    private void Remove(ushort zone, Connection connection)
    {
        foreach (var key in _entries.Where(e => e.Key.Zone == zone && e.Value.Connection == connection).Select(e => e.Key).ToList())
        {
            _entries.Remove(key);
        }
    }

    private static Tuple5 Translate(Tuple5 tuple, Nat nat)
    {
        // The first address and port of a range: one of the answers that the real tracker may give.
        var address = nat.Address is { } a ? Field.FromAddress(a, a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) : (UInt128?)null;
        ushort? port = nat.Port == 0 ? null : nat.Port;
        return nat.Kind == NatKind.Source
            ? tuple with { Source = address ?? tuple.Source, SourcePort = port ?? tuple.SourcePort }
            : tuple with { Target = address ?? tuple.Target, TargetPort = port ?? tuple.TargetPort };
    }

    private sealed class Connection(Tuple5 original)
    {
        public Tuple5 Original { get; } = original;

        public Tuple5? Translated { get; set; }

        public bool IsSource { get; set; }

        public bool SeenReply { get; set; }

        public UInt128 Mark { get; set; }

        public UInt128 Label { get; set; }
    }
}
