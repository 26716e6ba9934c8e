using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Marks on connections (ct_mark) and on packets of the host (docs/design/pipeline.md).</summary>
public static class Marks
{
    /// <summary>ct_mark[0..3]: the <see cref="PacketSource"/> of a connection to a Service; 0 for every other connection.</summary>
    public static readonly BitRange ServiceSource = Fields.CtMark[0..3];

    /// <summary>ct_mark[4]: a connection from outside to a Service of a tenant.</summary>
    public static readonly BitRange Published = Fields.CtMark[4];

    /// <summary>A connection of the host that came in at the gateway port: its replies leave there, whatever routes say.</summary>
    public const uint HostByGateway = 0x4000;

    /// <summary>The host's routing table for packets with <see cref="HostByGateway"/>.</summary>
    public const int HostByGatewayTable = 5745;

    /// <summary>Matches connections to Services that came from <paramref name="source"/>.</summary>
    public static FieldMatch ServiceFrom(PacketSource source) => ServiceSource.Is((uint)source);
}
