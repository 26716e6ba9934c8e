using System.Text;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A port as the switch describes it (ofp_port, OpenFlow 1.3.5 section 7.2.1).</summary>
/// <param name="Number">OpenFlow port number.</param>
/// <param name="Address">Hardware address.</param>
/// <param name="Name">Interface name, at most 15 bytes.</param>
/// <param name="Config">OFPPC_* bits; bit 0 = port down.</param>
/// <param name="State">OFPPS_* bits; bit 0 = link down, bit 2 = live.</param>
/// <param name="Current">Current features.</param>
/// <param name="Advertised">Advertised features.</param>
/// <param name="Supported">Supported features.</param>
/// <param name="Peer">The other side's features.</param>
/// <param name="CurrentSpeed">Kilobits per second.</param>
/// <param name="MaxSpeed">Kilobits per second.</param>
public sealed record PortDescription(uint Number, MacAddress Address, string Name, uint Config, uint State, uint Current, uint Advertised, uint Supported, uint Peer, uint CurrentSpeed, uint MaxSpeed)
{
    internal const int Size = 64;

    internal void Encode(WireWriter w)
    {
        w.U32(Number);
        w.U32(0);
        w.Number(Address.Bits, 6);
        w.U16(0);
        var name = w.Grow(16);
        name.Clear();
        var bytes = Encoding.UTF8.GetBytes(Name);
        bytes.AsSpan(0, Math.Min(bytes.Length, 15)).CopyTo(name);
        foreach (var word in (ReadOnlySpan<uint>)[Config, State, Current, Advertised, Supported, Peer, CurrentSpeed, MaxSpeed])
        {
            w.U32(word);
        }
    }

    internal static PortDescription Decode(ref WireReader r)
    {
        var number = r.U32();
        r.Skip(4);
        var address = new MacAddress((ulong)r.Number(6));
        r.Skip(2);
        var name = r.Take(16);
        var end = name.IndexOf((byte)0);
        return new PortDescription(number, address, Encoding.UTF8.GetString(end < 0 ? name : name[..end]), r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32());
    }
}
