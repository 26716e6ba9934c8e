using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Fields;

/// <summary>Reads and writes OXM entries and whole matches.</summary>
internal static class OxmCodec
{
    private const ulong MaskBit = 1UL << 40;

    /// <summary>Writes a condition as it stands in an OpenFlow 1.3 match.</summary>
    public static void Write(WireWriter writer, FieldMatch condition)
    {
        if (condition.Option is { } option)
        {
            option.Write(writer, condition.Field.OxmHeader);
            return;
        }

        Write(writer, condition.Field, condition.Field.OxmHeader, condition.Value, condition.Mask, condition.WireBytes, condition.Field == Fields.TunFlags);
    }

    /// <summary>Writes header, value and, unless it is all ones, mask. Open vSwitch sends a mask with tun_flags always: it keeps flags of its own beside the one that exists.</summary>
    public static void Write(WireWriter writer, Field field, ulong header, UInt128 value, UInt128 mask, int wireBytes, bool alwaysMasked = false)
    {
        var bytes = field.IsVariable ? VariableBytes(value, mask, wireBytes) : field.Bytes;
        var full = field.IsVariable && bytes < 16 ? (UInt128.One << (8 * bytes)) - 1 : field.FullMask;
        var masked = (mask & full) != full || alwaysMasked;
        if (field.IsVariable)
        {
            header = (header & ~(0xffUL << 32)) | ((ulong)bytes << 32);
        }

        WriteHeader(writer, masked ? WithMask(header) : header);
        writer.Number(value, bytes);
        if (masked)
        {
            writer.Number(mask, bytes);
        }
    }

    /// <summary>Writes a header alone: 4 bytes, or 8 for an experimenter's.</summary>
    public static void WriteHeader(WireWriter writer, ulong header)
    {
        writer.U32((uint)(header >> 32));
        if (header >> 48 == 0xffff)
        {
            writer.U32((uint)header);
        }
    }

    /// <summary>Reads a header alone (the operands of move, push, learn ...).</summary>
    /// <exception cref="OpenFlowFormatException">The field is not known.</exception>
    public static Field ReadHeader(ref WireReader reader)
    {
        ulong header = (ulong)reader.U32() << 32;
        if (header >> 48 == 0xffff)
        {
            header |= reader.U32();
        }

        var field = Fields.FindHeader(header) ?? throw new OpenFlowFormatException($"unknown field 0x{header >> 32:x8}", "OFPBMC_BAD_FIELD");
        return (header & MaskBit) == 0 ? field : throw new OpenFlowFormatException($"{field.Name}: a mask in a place where only the field is named", "OFPBMC_BAD_MASK");
    }

    /// <summary>Reads a header alone that names a field, with or without a mask; null when the field is not known or its length is not the field's.</summary>
    public static Field? FindHeader(ref WireReader reader, out bool masked)
    {
        ulong header = (ulong)reader.U32() << 32;
        if (header >> 48 == 0xffff)
        {
            header |= reader.U32();
        }

        masked = (header & MaskBit) != 0;
        var field = Fields.FindHeader(header);
        return field is null || field.IsVariable || LengthOf(header) == (masked ? 2 : 1) * field.Bytes ? field : null;
    }

    /// <summary>Reads an ofp_match: type 1 (OXM), length without padding, entries, padding to eight bytes.</summary>
    public static Match ReadMatch(ref WireReader reader)
    {
        var start = reader.Position;
        if (reader.Remaining < 4)
        {
            throw new OpenFlowFormatException("no room for a match", "OFPBMC_BAD_LEN");
        }

        if (reader.U16() != 1)
        {
            throw new OpenFlowFormatException("the match is not of type OXM", "OFPBMC_BAD_TYPE");
        }

        var length = reader.U16();
        if (length < 4 || length - 4 > reader.Remaining)
        {
            throw new OpenFlowFormatException($"a match of length {length}, 4 to the rest of the message is right", "OFPBMC_BAD_LEN");
        }

        var match = ReadEntries(reader.Take(length - 4));
        reader.SkipPadding(start);
        return match;
    }

    /// <summary>Writes an ofp_match with padding.</summary>
    public static void WriteMatch(WireWriter writer, Match match)
    {
        var start = writer.Length;
        writer.U16(1);
        writer.U16(checked((ushort)(match.Encoded.Length + 4)));
        writer.Bytes(match.Encoded);
        writer.Pad8(start);
    }

    /// <summary>Makes a match of OXM entries in any order. A copy when they are canonical already, as a switch's are.</summary>
    public static Match ReadEntries(ReadOnlySpan<byte> data)
    {
        // Open vSwitch begins matches without Ethernet fields with packet_type=(0,0), which says nothing.
        var canonical = data.Length >= 8 && data[..8].SequenceEqual(EthernetPacketType) ? data[8..] : data;
        return IsCanonical(canonical) ? new Match(canonical.ToArray()) : Rebuild(data);
    }

    private static ReadOnlySpan<byte> EthernetPacketType => [0x80, 0x00, 44 << 1, 4, 0, 0, 0, 0];

    private static Match Rebuild(ReadOnlySpan<byte> data)
    {
        var builder = new MatchBuilder();
        while (data.Length > 0)
        {
            var oxm = OxmHeader.Read(data);
            if (oxm.Field is null)
            {
                builder.Unknown.Add(data[..oxm.TotalLength].ToArray());
            }
            else
            {
                try
                {
                    builder.Add(oxm.ToCondition());
                }
                catch (ArgumentException e)
                {
                    throw new OpenFlowFormatException(e.Message, "OFPBMC_BAD_PREREQ");
                }
            }

            data = data[oxm.TotalLength..];
        }

        return builder.Build(addPrerequisites: false);
    }

    private static bool IsCanonical(ReadOnlySpan<byte> data)
    {
        var last = -1;
        while (data.Length > 0)
        {
            var oxm = OxmHeader.Read(data);
            if (oxm.Field is not { IsAlias: false } field || field.Order <= last || !HasCanonicalHeader(oxm, field) || !HasCanonicalPayload(oxm, field))
            {
                return false;
            }

            last = field.Order;
            data = data[oxm.TotalLength..];
        }

        return true;
    }

    private static bool HasCanonicalHeader(OxmHeader oxm, Field field) =>
        field.IsVariable || (oxm.Header & Fields.HeaderKeyMask) == (field.OxmHeader & Fields.HeaderKeyMask);

    private static bool HasCanonicalPayload(OxmHeader oxm, Field field)
    {
        if (!oxm.HasMask)
        {
            return field.Bits == field.Bytes * 8 ? field != Fields.PacketType && field != Fields.CtState : (WireReader.ReadNumber(oxm.Payload) & ~field.FullMask) == 0;
        }

        var condition = oxm.ToCondition();
        var size = oxm.Payload.Length / 2;
        if (condition.Option is { } option)
        {
            return oxm.Payload.Length % 2 == 0 && option.Value.SequenceEqual(oxm.Payload[..size]);
        }

        var full = size == 16 ? UInt128.MaxValue : (UInt128.One << (8 * size)) - 1;
        return condition.Mask != 0 && oxm.Payload.Length % 2 == 0 && (field != Fields.CtState || condition.Mask <= 0xff) && (condition.Mask & full) != (field.FullMask & full)
            && WireReader.ReadNumber(oxm.Payload[..size]) == condition.Value
            && WireReader.ReadNumber(oxm.Payload[size..]) == condition.Mask;
    }

    /// <summary>The header of the same field with a mask behind the value.</summary>
    public static ulong WithMask(ulong header)
    {
        var length = header >> 32 & 0xff;
        var experimenter = header >> 48 == 0xffff ? 4UL : 0;
        return (header & ~(0xffUL << 32)) | MaskBit | ((((length - experimenter) * 2) + experimenter) << 32);
    }

    /// <summary>The length of value and mask that a header tells, without an experimenter's number.</summary>
    private static int LengthOf(ulong header) => (int)(header >> 32 & 0xff) - (header >> 48 == 0xffff ? 4 : 0);

    private static int VariableBytes(UInt128 value, UInt128 mask, int wireBytes)
    {
        if (wireBytes > 0)
        {
            return wireBytes;
        }

        // As few as hold it (mf_field_len in OVS's meta-flow.c).
        var significant = mask == UInt128.MaxValue ? value : mask;
        return (135 - (int)UInt128.LeadingZeroCount(significant)) / 8;
    }
}
