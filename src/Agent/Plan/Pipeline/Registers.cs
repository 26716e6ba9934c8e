using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Where a packet came from: the values of <see cref="Registers.Source"/>.</summary>
public enum PacketSource : uint
{
    Pod = 1,
    Gateway = 2,
    Tunnel = 3,
}

/// <summary>Every register bit that the pipeline uses (docs/design/pipeline.md).</summary>
public static class Registers
{
    /// <summary>reg0[0..3]: a <see cref="PacketSource"/>.</summary>
    public static readonly BitRange Source = Fields.Reg0[0..3];

    /// <summary>reg0[4]: a reply or a related packet; policies do not apply.</summary>
    public static readonly BitRange Bypass = Fields.Reg0[4];

    /// <summary>reg0[5]: the packet returns to the port that it came from.</summary>
    public static readonly BitRange Hairpin = Fields.Reg0[5];

    /// <summary>reg0[6]: the destination was a Service; the connection is committed already.</summary>
    public static readonly BitRange Service = Fields.Reg0[6];

    /// <summary>reg1: the OpenFlow port to send to.</summary>
    public static readonly BitRange Output = Fields.Reg1.Whole;

    /// <summary>reg2[0..15]: the conntrack zone.</summary>
    public static readonly BitRange Zone = Fields.Reg2[0..15];

    /// <summary>Matches packets from <paramref name="source"/>.</summary>
    public static FieldMatch From(PacketSource source) => Source.Is((uint)source);
}
