using System.Collections.Immutable;

namespace Weft.OpenFlow.Entries;

/// <summary>Flags of a meter (OpenFlow 1.3.5 section 7.3.4.5).</summary>
[Flags]
public enum MeterFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Rates are kilobits per second.</summary>
    Kbps = 1,

    /// <summary>Rates are packets per second.</summary>
    PacketsPerSecond = 2,

    /// <summary>Bands have burst sizes.</summary>
    Burst = 4,

    /// <summary>Counters are kept.</summary>
    Stats = 8,
}

/// <summary>What happens above a rate.</summary>
/// <param name="Rate">In the unit of the meter.</param>
/// <param name="BurstSize">Kilobits or packets; 0 for none.</param>
/// <param name="PrecedenceLevel">Drop precedence to add (dscp_remark); null drops the packet.</param>
public sealed record MeterBand(uint Rate, uint BurstSize = 0, byte? PrecedenceLevel = null);

/// <summary>A meter, wanted or read back.</summary>
/// <param name="Id">From 1.</param>
/// <param name="Flags">Unit and options.</param>
/// <param name="Bands">The bands; the highest exceeded rate counts.</param>
public sealed record MeterEntry(uint Id, MeterFlags Flags, ImmutableArray<MeterBand> Bands)
{
    /// <inheritdoc/>
    public bool Equals(MeterEntry? other) => other is not null && Id == other.Id && Flags == other.Flags && Bands.AsSpan().SequenceEqual(other.Bands.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Flags, Bands.Length);

    /// <summary>The meter as <c>ovs-ofctl dump-meters</c> prints it.</summary>
    public override string ToString() => Text.MeterText.Format(this);
}
