using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>What the tracker knows a connection by. ICMP echo has its type and code in the ports' place.</summary>
internal readonly record struct Tuple5(bool IsV6, byte Proto, UInt128 Source, UInt128 Target, ushort SourcePort, ushort TargetPort)
{
    private const byte Icmp = 1;
    private const byte Icmpv6 = 58;

    public static Tuple5 Of(SimulatedPacket packet)
    {
        var v6 = packet[F.EthType] == 0x86dd;
        var proto = (byte)packet[F.IpProto];
        var (source, target) = Ports(proto);
        return new(
            v6,
            proto,
            packet[v6 ? F.IPv6Src : F.IPv4Src],
            packet[v6 ? F.IPv6Dst : F.IPv4Dst],
            source is null ? (ushort)0 : (ushort)packet[source],
            target is null ? (ushort)0 : (ushort)packet[target]);
    }

    public Tuple5 Reversed() => Proto switch
    {
        Icmp => this with { Source = Target, Target = Source, SourcePort = SourcePort switch { 8 => 0, 0 => 8, _ => SourcePort } },
        Icmpv6 => this with { Source = Target, Target = Source, SourcePort = SourcePort switch { 128 => 129, 129 => 128, _ => SourcePort } },
        _ => this with { Source = Target, Target = Source, SourcePort = TargetPort, TargetPort = SourcePort },
    };

    public void Apply(SimulatedPacket packet)
    {
        packet[IsV6 ? F.IPv6Src : F.IPv4Src] = Source;
        packet[IsV6 ? F.IPv6Dst : F.IPv4Dst] = Target;
        var (source, target) = Ports(Proto);
        if (source is not null && Proto is not (Icmp or Icmpv6))
        {
            packet[source] = SourcePort;
            packet[target!] = TargetPort;
        }
    }

    public void ApplyOriginal(SimulatedPacket packet)
    {
        packet[IsV6 ? F.CtIPv6Src : F.CtNwSrc] = Source;
        packet[IsV6 ? F.CtIPv6Dst : F.CtNwDst] = Target;
        packet[F.CtNwProto] = Proto;
        packet[F.CtTpSrc] = SourcePort;
        packet[F.CtTpDst] = TargetPort;
    }

    private static (Field? Source, Field? Target) Ports(byte proto) => proto switch
    {
        6 => (F.TcpSrc, F.TcpDst),
        17 => (F.UdpSrc, F.UdpDst),
        132 => (F.SctpSrc, F.SctpDst),
        Icmp => (F.IcmpType, F.IcmpCode),
        Icmpv6 => (F.Icmpv6Type, F.Icmpv6Code),
        _ => (null, null),
    };
}
