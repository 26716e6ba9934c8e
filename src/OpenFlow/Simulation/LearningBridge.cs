using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>What output:NORMAL, FLOOD and ALL need to know beside flows: the ports, and behind which of them an address was seen (<c>ovs-appctl fdb/show</c>).</summary>
/// <remarks>One VLAN: ports are neither trunks nor tagged. Not safe for concurrent use while it learns.</remarks>
public sealed class LearningBridge
{
    private const ulong GroupBit = 1UL << 40;
    private readonly uint[] _ports;
    private readonly Dictionary<ulong, uint> _addresses = [];

    /// <summary>A bridge with these ports and an empty table of addresses.</summary>
    public LearningBridge(IEnumerable<uint> ports) => _ports = [.. ports.Order()];

    /// <summary>True to learn from each packet that meets NORMAL; false (as <c>ofproto/trace</c>) takes the table as it is.</summary>
    public bool Learns { get; init; }

    /// <summary>Notes that an address is behind a port.</summary>
    public void Learn(MacAddress address, uint port) => _addresses[address.Bits] = port;

    /// <summary>Where NORMAL sends a packet: the port of its destination, all others when that is not known, none for link-local protocols such as STP.</summary>
    internal IEnumerable<uint> Normal(SimulatedPacket packet)
    {
        var (source, target, from) = ((ulong)packet[F.EthSrc], (ulong)packet[F.EthDst], (uint)packet[F.InPort]);
        if (Learns && (source & GroupBit) == 0)
        {
            _addresses[source] = from;
        }

        if (IsLinkLocal(target))
        {
            return [];
        }

        return (target & GroupBit) == 0 && _addresses.TryGetValue(target, out var port) ? port == from ? [] : [port] : Others(from);
    }

    /// <summary>All ports but one.</summary>
    internal IEnumerable<uint> Others(uint from) => _ports.Where(p => p != from);

    /// <summary>01:80:c2:00:00:00 to 0f, which bridges keep to themselves (IEEE 802.1D).</summary>
    private static bool IsLinkLocal(ulong address) => address >> 4 == 0x0180c200000;
}
