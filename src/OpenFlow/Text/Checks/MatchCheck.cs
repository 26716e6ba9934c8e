using System.Buffers.Binary;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Reads a match as Open vSwitch does (nx_pull_raw in nx-match.c): entry by entry, each after what it needs, none twice.</summary>
internal static class MatchCheck
{
    private const ulong MaskBit = 1UL << 40;
    private const int Registers = 1000;

    /// <summary>Reads an ofp_match with its padding.</summary>
    /// <exception cref="OpenFlowFormatException">Named as Open vSwitch names it.</exception>
    public static FlowShape Read(ref WireReader r, bool strict)
    {
        var rest = r.Rest;
        if (rest.Length < 4)
        {
            throw new OpenFlowFormatException("no room for a match", "OFPBMC_BAD_LEN");
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        var type = BinaryPrimitives.ReadUInt16BigEndian(rest);
        ActionBytes.Require(strict || length >= 4, "OFPBMC_BAD_LEN");
        if (type != 1 && !strict)
        {
            throw new OpenFlowFormatException("the match is not of type OXM", "OFPBMC_BAD_TYPE");
        }

        if (type != 1)
        {
            // Type 0 is the match of OpenFlow 1.1, 88 bytes long.
            throw new OpenFlowFormatException("the match is not of type OXM", type == 0 ? "OFPBMC_BAD_LEN" : "OFPBMC_BAD_TYPE");
        }

        var padded = (length + 7) & ~7;
        return length < 4 || padded > rest.Length
            ? throw new OpenFlowFormatException($"a match of length {length} in {rest.Length} bytes", "OFPBMC_BAD_LEN")
            : Entries(r.Take(padded)[4..length], strict);
    }

    /// <summary>Takes entries and their padding, and gives the entries (nx_pull_match).</summary>
    public static ReadOnlySpan<byte> Take(ref WireReader r, int length)
    {
        var padded = (length + 7) & ~7;
        return padded <= r.Remaining ? r.Take(padded)[..length] : throw new OpenFlowFormatException($"a match of length {length} in {r.Remaining} bytes", "OFPBMC_BAD_LEN");
    }

    /// <summary>Reads entries alone. A match that is not strict leaves out fields that are not known and asks for no prerequisites.</summary>
    /// <param name="data">The entries.</param>
    /// <param name="strict">See above.</param>
    /// <param name="cookies">Whether one may ask for a cookie.</param>
    public static FlowShape Entries(ReadOnlySpan<byte> data, bool strict, bool cookies = false)
    {
        var shape = new FlowShape();
        var seen = new HashSet<int>();
        while (!data.IsEmpty)
        {
            var (field, value, mask) = Entry(ref data, strict, cookies);
            if (field is null)
            {
                if (mask != 0 && shape.CookieMask != 0)
                {
                    throw new OpenFlowFormatException("two cookies in a match", "OFPBMC_DUP_FIELD");
                }

                shape.CookieMask |= (ulong)mask;
                continue;
            }

            if (strict && !shape.Meets(field.Prerequisite))
            {
                throw new OpenFlowFormatException($"{field.Name} without its prerequisites", "OFPBMC_BAD_PREREQ");
            }

            Mark(field, mask, seen);
            Set(shape, field, value, mask);
            if (field.Prerequisite != Prerequisite.None)
            {
                // Such a match is of Ethernet packets, if it has not said so.
                seen.Add(F.PacketType.Order);
            }
        }

        return shape;
    }

    /// <summary>A field by its header, of exactly the header's length unless the field's varies; null when there is none.</summary>
    public static Field? Find(ulong header)
    {
        var field = F.FindHeader(header);
        var length = (int)(header >> 32 & 0xff) - (header >> 48 == 0xffff ? 4 : 0);
        return field is null || field.IsVariable || length == ((header & MaskBit) != 0 ? 2 : 1) * field.Bytes ? field : null;
    }

    /// <summary>True when Open vSwitch takes the value for the field (mf_is_value_valid).</summary>
    public static bool IsValid(Field field, UInt128 value)
    {
        if (field == F.InPort || field == F.ActsetOutput)
        {
            return (uint)value is < Ports.Max or >= 0xffffff00;
        }

        return field == F.NshTtl ? value <= 63
            : field == F.NshMdtype ? value == 1 || value == 2
            : field == F.ArpOp ? value <= 0xff
            : field == F.TcpFlags ? value <= 0xfff
            : field == F.NshSpi ? value <= 0xffffff
            : field == F.TunFlags ? value <= 1
            : field == F.CtState ? value <= 0xff
            : field == F.IpTos ? (value & 3) == 0
            : field.IsVariable || (value & ~field.FullMask) == 0;
    }

    private static (Field? Field, UInt128 Value, UInt128 Mask) Entry(ref ReadOnlySpan<byte> data, bool strict, bool cookies)
    {
        var r = new WireReader(data);
        var header = Header(ref r);
        var masked = (header & MaskBit) != 0;
        var length = (int)(header >> 32 & 0xff) - (header >> 48 == 0xffff ? 4 : 0);
        if (length > r.Remaining)
        {
            throw new OpenFlowFormatException($"a field of {length} bytes, {r.Remaining} are left", "OFPBMC_BAD_LEN");
        }

        var payload = r.Take(length);
        var width = masked ? length / 2 : length;
        if (masked && Stray(payload[..width], payload.Slice(width, width)))
        {
            throw new OpenFlowFormatException("a value with bits outside its mask", "OFPBMC_BAD_WILDCARDS");
        }

        data = r.Rest;
        var field = Find(header);
        if (field is null)
        {
            return cookies && NiciraFlowMod.IsCookie(header) ? (null, 0, masked ? WireReader.ReadNumber(payload.Slice(width, width)) : ulong.MaxValue)
                : !strict ? default : throw new OpenFlowFormatException($"an unknown field 0x{header >> 32:x8}", "OFPBMC_BAD_FIELD");
        }

        if (width > 16)
        {
            // A long tunnel option: any value and mask is right.
            return (field, 0, UInt128.MaxValue);
        }

        var value = WireReader.ReadNumber(payload[..width]);
        var ones = field.IsVariable ? UInt128.MaxValue : Ones(8 * field.Bytes);
        var mask = masked ? WireReader.ReadNumber(payload.Slice(width, width)) : ones;
        if (!field.IsMaskable && mask != 0 && mask != ones)
        {
            throw new OpenFlowFormatException($"{field.Name} takes no mask", "OFPBMC_BAD_MASK");
        }

        return IsValid(field, value) ? (field, value, mask) : throw new OpenFlowFormatException($"{field.Name}: 0x{value:x} is no value of it", "OFPBMC_BAD_VALUE");
    }

    /// <summary>The header of an entry, 4 bytes or 8, moved over.</summary>
    public static ulong Header(ref WireReader r)
    {
        if (r.Remaining < 4)
        {
            throw new OpenFlowFormatException($"a field in {r.Remaining} bytes", "OFPBMC_BAD_LEN");
        }

        var header = (ulong)r.U32() << 32;
        if (header >> 48 != 0xffff)
        {
            return header;
        }

        return r.Remaining >= 4 && (header >> 32 & 0xff) >= 4
            ? header | r.U32()
            : throw new OpenFlowFormatException("an experimenter's field is cut short", "OFPBMC_BAD_LEN");
    }

    private static UInt128 Ones(int bits) => bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;

    private static bool Stray(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if ((value[i] & ~mask[i]) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fields that share a place in OVS's flow count as one.</summary>
    private static void Mark(Field field, UInt128 mask, HashSet<int> seen)
    {
        if (mask == 0 && !field.IsVariable)
        {
            return;
        }

        var twice = field == F.VlanTci ? !(seen.Add(F.VlanVid.Order) & seen.Add(F.VlanPcp.Order))
            : field.Order >= F.XReg0.Order && field.Order < F.XReg0.Order + 8 ? Words(2, (field.Order - F.XReg0.Order) * 2)
            : field.Order >= F.XXReg0.Order && field.Order < F.XXReg0.Order + 4 ? Words(4, (field.Order - F.XXReg0.Order) * 4)
            : field.Order >= F.Reg0.Order && field.Order < F.Reg0.Order + 16 ? Words(1, field.Order - F.Reg0.Order)
            : !seen.Add(Place(field).Order);
        if (twice)
        {
            throw new OpenFlowFormatException($"{field.Name} is given twice", "OFPBMC_DUP_FIELD");
        }

        bool Words(int count, int first)
        {
            var again = false;
            for (var i = 0; i < count; i++)
            {
                again |= seen.Contains(Registers + first + i);
            }

            for (var i = 0; i < count; i++)
            {
                if ((uint)(mask >> 32 * (count - 1 - i)) != 0)
                {
                    seen.Add(Registers + first + i);
                }
            }

            return again;
        }
    }

    private static Field Place(Field field) =>
        field == F.UdpSrc || field == F.SctpSrc || field == F.IcmpType || field == F.Icmpv6Type ? F.TcpSrc
        : field == F.UdpDst || field == F.SctpDst || field == F.IcmpCode || field == F.Icmpv6Code ? F.TcpDst
        : field == F.ArpOp ? F.IpProto
        : field == F.ArpSpa ? F.IPv4Src
        : field == F.ArpTpa ? F.IPv4Dst
        : field == F.NdSll ? F.ArpSha
        : field == F.NdTll ? F.ArpTha
        : field == F.NdOptionsType ? F.TcpFlags
        : field == F.InPort16 ? F.InPort
        : field == F.IpTos ? F.IpDscp
        : field;

    /// <summary>Notes what a condition says of the packets.</summary>
    public static void Set(FlowShape shape, Field field, UInt128 value, UInt128 mask)
    {
        value &= mask;
        switch (field)
        {
            case var f when f == F.PacketType: shape.PacketType = (uint)value; break;
            case var f when f == F.EthType: shape.EthType = (ushort)value; break;
            case var f when f == F.IpProto || f == F.ArpOp: shape.IpProto = (byte)value; break;
            case var f when Place(f) == F.TcpSrc: shape.Source = (ushort)value; break;
            case var f when Place(f) == F.TcpDst: shape.Target = (ushort)value; break;
            case var f when f == F.VlanTci || f == F.VlanVid: shape.VlanTci |= (ushort)value; break;
            case var f when f == F.VlanPcp: shape.VlanTci |= (ushort)(((uint)value << 13) | 0x1000); break;
            case var f when f == F.IpFrag: shape.Fragment = (byte)value; break;
            case var f when f == F.CtState: (shape.CtState, shape.CtStateMask) = ((uint)value, (uint)mask); break;
            case var f when f == F.CtNwSrc || f == F.CtNwDst: shape.HasCtIPv4 |= mask != 0; break;
            case var f when f == F.CtIPv6Src || f == F.CtIPv6Dst: shape.HasCtIPv6 |= mask != 0; break;
        }
    }
}
