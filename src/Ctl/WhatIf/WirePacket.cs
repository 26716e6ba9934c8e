using System.Net;
using System.Net.Sockets;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Simulation;
using Weft.Topology;

namespace Weft.Ctl.WhatIf;

/// <summary>The first packet of a connection, as addresses and ports.</summary>
internal readonly record struct WirePacket(IPAddress Source, IPAddress Target, PortQuestion Port)
{
    private const ushort ClientPort = 49152;

    /// <summary>The packet at a port of a switch.</summary>
    public SimulatedPacket At(uint port, string sourceMac, string targetMac, ulong tunnel = 0)
    {
        var v6 = Target.AddressFamily == AddressFamily.InterNetworkV6;
        var packet = SimulatedPacket.Of(
            Fields.InPort.Is(port),
            Fields.EthSrc.Is(MacAddress.Parse(sourceMac)),
            Fields.EthDst.Is(MacAddress.Parse(targetMac)),
            v6 ? Fields.IPv6Src.Is(Source) : Fields.IPv4Src.Is(Source),
            v6 ? Fields.IPv6Dst.Is(Target) : Fields.IPv4Dst.Is(Target));
        packet[Fields.IpProto] = (uint)Port.Protocol;
        packet[Fields.IpTtl] = 64;
        packet[Fields.TunId] = tunnel;
        var (from, to) = Port.Protocol switch
        {
            Protocol.Tcp => ((Field)Fields.TcpSrc, (Field)Fields.TcpDst),
            Protocol.Udp => (Fields.UdpSrc, Fields.UdpDst),
            _ => (Fields.SctpSrc, Fields.SctpDst),
        };
        packet[from] = ClientPort;
        packet[to] = (uint)Port.Number;
        return packet;
    }
}
