using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Counters of an IPFIX exporter (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW of Open vSwitch, nicira-ext.h).</summary>
/// <param name="Flows">Flows that were reported, all in all.</param>
/// <param name="CurrentFlows">Flows in the cache now.</param>
/// <param name="Packets">Packets that were sampled.</param>
/// <param name="IPv4Packets">IPv4 packets that were sampled without an error.</param>
/// <param name="IPv6Packets">IPv6 packets that were sampled without an error.</param>
/// <param name="PacketErrors">Packets that could not be sampled.</param>
/// <param name="IPv4Errors">IPv4 packets that could not be sampled.</param>
/// <param name="IPv6Errors">IPv6 packets that could not be sampled.</param>
/// <param name="Sent">IPFIX messages that were sent.</param>
/// <param name="SendErrors">IPFIX messages that could not be sent.</param>
/// <param name="CollectorSet">The set of collectors, for an exporter of flows; 0 for a bridge's.</param>
public sealed record IpfixStats(
    ulong Flows, ulong CurrentFlows, ulong Packets, ulong IPv4Packets, ulong IPv6Packets, ulong PacketErrors, ulong IPv4Errors, ulong IPv6Errors, ulong Sent, ulong SendErrors, uint CollectorSet)
{
    internal const uint BridgeSubtype = 3;
    internal const uint FlowSubtype = 4;

    /// <summary>Bytes of one on the wire.</summary>
    internal const int Length = 88;

    /// <summary>The body of a request for all exporters of a kind.</summary>
    internal static byte[] Request(uint subtype)
    {
        var w = new WireWriter();
        w.U32(Vendors.Nicira);
        w.U32(subtype);
        return w.ToArray();
    }

    /// <summary>Reads the exporters of one part, behind vendor and subtype.</summary>
    internal static List<IpfixStats> Read(ReadOnlySpan<byte> body)
    {
        var rows = new List<IpfixStats>();
        var r = new WireReader(body);
        while (r.Remaining > 0)
        {
            rows.Add(new IpfixStats(r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U32()));
            r.Skip(4);
        }

        return rows;
    }
}
