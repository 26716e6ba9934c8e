using System.Collections.Immutable;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Where a packet came from: the values of <see cref="Registers.Source"/>.</summary>
public enum PacketSource : uint
{
    Pod = 1,
    Gateway = 2,
    Tunnel = 3,

    /// <summary>A pod of a tenant, by its alias: it left its network, or in ct_mark, the connection came into its network from the node.</summary>
    Edge = 4,

    /// <summary>In ct_mark: a connection of a tenant to a Service of the default network.</summary>
    Shared = 5,
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

    /// <summary>reg0[7]: it came in at the gateway from an address that is not this node's own: from outside, or from another node.</summary>
    public static readonly BitRange Outside = Fields.Reg0[7];

    /// <summary>reg0[8]: the destination is an address of a node, so node ports apply.</summary>
    public static readonly BitRange NodeAddress = Fields.Reg0[8];

    /// <summary>reg0[9]: the source translation of the gateway was looked up already.</summary>
    public static readonly BitRange Restored = Fields.Reg0[9];

    /// <summary>reg0[10]: reg3 to reg7 hold the endpoint of a client with affinity.</summary>
    public static readonly BitRange Selected = Fields.Reg0[10];

    /// <summary>reg0[11]: the endpoint was chosen just now and is to be remembered.</summary>
    public static readonly BitRange Learn = Fields.Reg0[11];

    /// <summary>reg0[12]: this node itself asks for a tenant pod by its alias.</summary>
    public static readonly BitRange Probe = Fields.Reg0[12];

    /// <summary>reg0[13]: a private Subnet lets the packet in.</summary>
    public static readonly BitRange Admitted = Fields.Reg0[13];

    /// <summary>reg0[14]: from outside to a Service of a tenant; policies judge it.</summary>
    public static readonly BitRange Published = Fields.Reg0[14];

    /// <summary>reg0[15]: an answer of a name server that the agent wants to hear.</summary>
    public static readonly BitRange Answer = Fields.Reg0[15];

    /// <summary>reg3[0..15]: port of the endpoint for a client with affinity.</summary>
    public static readonly BitRange EndpointPort = Fields.Reg3[0..15];

    /// <summary>reg4 to reg7: address of that endpoint, 128 bits; an IPv4 address is in reg4 alone.</summary>
    public static readonly ImmutableArray<BitRange> EndpointAddress = [Fields.Reg4.Whole, Fields.Reg5.Whole, Fields.Reg6.Whole, Fields.Reg7.Whole];

    /// <summary>reg8: the group of a Service with affinity, or with slots.</summary>
    public static readonly BitRange Group = Fields.Reg8.Whole;

    /// <summary>reg1: the OpenFlow port to send to.</summary>
    public static readonly BitRange Output = Fields.Reg1.Whole;

    /// <summary>reg2[0..15]: the conntrack zone.</summary>
    public static readonly BitRange Zone = Fields.Reg2[0..15];

    /// <summary>Matches packets from <paramref name="source"/>.</summary>
    public static FieldMatch From(PacketSource source) => Source.Is((uint)source);
}
