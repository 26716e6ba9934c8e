using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;

namespace Weft.OpenFlow.Entries;

/// <summary>Flags of a flow entry (OpenFlow 1.3.5 section 7.3.4.1).</summary>
[Flags]
public enum FlowFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The switch tells the controller when the flow ends.</summary>
    SendFlowRemoved = 1,

    /// <summary>Adding fails when the flow overlaps another of the same priority.</summary>
    CheckOverlap = 2,

    /// <summary>Modifying sets the counters to zero.</summary>
    ResetCounts = 4,

    /// <summary>Packets are not counted.</summary>
    NoPacketCounts = 8,

    /// <summary>Bytes are not counted.</summary>
    NoByteCounts = 16,
}

/// <summary>What names a flow in a switch: a second flow with an equal key replaces the first.</summary>
public readonly record struct FlowKey(byte Table, ushort Priority, Match Match);

/// <summary>A flow entry, wanted or read back: the same canonical form, so both compare equal.</summary>
/// <param name="Table">Table, 0 to 254.</param>
/// <param name="Priority">The highest matching priority wins.</param>
/// <param name="Match">Which packets.</param>
/// <param name="Instructions">What happens to them.</param>
public sealed record Flow(byte Table, ushort Priority, Match Match, FlowInstructions Instructions)
{
    /// <summary>Priority of a flow for which none is given in text.</summary>
    public const ushort DefaultPriority = 32768;

    /// <summary>A number of the controller's own.</summary>
    public ulong Cookie { get; init; }

    /// <summary>Seconds without a packet after which the flow ends; 0 = never.</summary>
    public ushort IdleTimeout { get; init; }

    /// <summary>Seconds after which the flow ends; 0 = never.</summary>
    public ushort HardTimeout { get; init; }

    /// <summary>Flags; the switch keeps only <see cref="FlowFlags.SendFlowRemoved"/> and the count flags.</summary>
    public FlowFlags Flags { get; init; }

    /// <summary>What names the flow.</summary>
    public FlowKey Key => new(Table, Priority, Match);

    /// <summary>The flow as <c>ovs-ofctl --no-stats dump-flows</c> prints it.</summary>
    public override string ToString() => Text.FlowText.Format(this);
}

/// <summary>A flow with its counters, as the switch reported it.</summary>
/// <param name="Flow">The flow.</param>
/// <param name="Packets">Packets so far; <see cref="ulong.MaxValue"/> = unknown.</param>
/// <param name="Bytes">Bytes so far; <see cref="ulong.MaxValue"/> = unknown.</param>
/// <param name="Duration">Age.</param>
public sealed record FlowStats(Flow Flow, ulong Packets, ulong Bytes, FlowDuration Duration);

/// <summary>An age as the switch gives it.</summary>
/// <param name="Seconds">Whole seconds.</param>
/// <param name="Nanoseconds">0 to 999,999,999.</param>
public readonly record struct FlowDuration(uint Seconds, uint Nanoseconds)
{
    /// <summary>The same, to 100 ns.</summary>
    public TimeSpan ToTimeSpan() => TimeSpan.FromSeconds(Seconds) + TimeSpan.FromTicks(Nanoseconds / 100);

    /// <summary>As ovs-ofctl prints it, without the unit: 1, 1.5, 1.123456789.</summary>
    public override string ToString() => Nanoseconds == 0 ? $"{Seconds}"
        : Nanoseconds % 1_000_000 == 0 ? $"{Seconds}.{Nanoseconds / 1_000_000:d3}"
        : $"{Seconds}.{Nanoseconds:d9}".TrimEnd('0');
}
