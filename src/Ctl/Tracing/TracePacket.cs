using System.Net;
using System.Net.Sockets;

namespace Weft.Ctl.Tracing;

/// <summary>The first packet of a connection.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c>, <c>sctp</c> or <c>icmp</c>.</param>
/// <param name="Source">Where from.</param>
/// <param name="Destination">Where to.</param>
/// <param name="SourcePort">Its source port.</param>
/// <param name="Port">Its destination port; not looked at for icmp (an echo request).</param>
public sealed record TracePacket(string Protocol, IPAddress Source, IPAddress Destination, int SourcePort, int Port)
{
    private bool IsV6 => Destination.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Its headers from layer 3 up in the words of ovs-fields(7).</summary>
    public string ToMatch()
    {
        var addresses = IsV6 ? $"ipv6_src={Source},ipv6_dst={Destination},nw_ttl=64" : $"nw_src={Source},nw_dst={Destination},nw_ttl=64";
        return Protocol switch
        {
            "icmp" when IsV6 => $"icmp6,{addresses},icmpv6_type=128,icmpv6_code=0",
            "icmp" => $"icmp,{addresses},icmp_type=8,icmp_code=0",
            _ => $"{Protocol}{(IsV6 ? "6" : "")},{addresses},{Protocol}_src={SourcePort},{Protocol}_dst={Port}{(Protocol == "tcp" ? ",tcp_flags=syn" : "")}",
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Protocol == "icmp" ? $"icmp {Source} -> {Destination}"
        : $"{Protocol} {Source}:{SourcePort} -> {(IsV6 ? $"[{Destination}]" : Destination)}:{Port}";
}
