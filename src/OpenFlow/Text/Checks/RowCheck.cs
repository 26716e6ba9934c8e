using System.Buffers.Binary;
using Weft.OpenFlow.Wire;
using static Weft.OpenFlow.Text.Checks.ActionBytes;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Cuts the next row off the body of a multipart reply, as strictly as Open vSwitch decodes it. Rows before a damaged one are printed.</summary>
internal static class RowCheck
{
    private const string BadLength = "OFPBRC_BAD_LEN";

    /// <summary>A flow of 48 bytes, match and instructions.</summary>
    public static ReadOnlySpan<byte> Flow(ref WireReader r)
    {
        const int Head = 48;
        var row = r.Rest;
        Require(row.Length >= Head, BadLength);
        int length = BinaryPrimitives.ReadUInt16BigEndian(row);
        Require(length >= Head, BadLength);

        // The match may end behind the row's length; that is told as a length of the instructions.
        var m = new WireReader(row[Head..]);
        MatchCheck.Read(ref m, strict: true);
        MessageCheck.Flags(BinaryPrimitives.ReadUInt16BigEndian(row[18..]));
        Instructions(row, length, Head + m.Position);
        return r.Take(length);
    }

    /// <summary>An update of a flow monitor.</summary>
    public static ReadOnlySpan<byte> Update(ref WireReader r)
    {
        const int Head = 24;
        const int Abbreviated = 3;
        var row = r.Rest;
        Require(row.Length >= 4, BadLength);
        int length = BinaryPrimitives.ReadUInt16BigEndian(row);
        int kind = BinaryPrimitives.ReadUInt16BigEndian(row[2..]);
        Require(length <= row.Length && length % 8 == 0, BadLength);
        Require(kind <= Abbreviated, "NXBRC_FM_BAD_EVENT");
        if (kind == Abbreviated)
        {
            Require(length == 8, BadLength);
            return r.Take(length);
        }

        Require(length >= Head && Head + BinaryPrimitives.ReadUInt16BigEndian(row[12..]) <= length, BadLength);
        var m = new WireReader(row[Head..]);
        MatchCheck.Read(ref m, strict: true);
        Instructions(row, length, Head + m.Position);
        return r.Take(length);
    }

    /// <summary>A request for a flow monitor: where it ends.</summary>
    public static ReadOnlySpan<byte> MonitorRequest(ref WireReader r)
    {
        const int Head = 16;
        const int Changes = 2 | 4 | 8;
        var row = r.Rest;
        Require(row.Length >= Head, BadLength);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(row[4..]);
        Require((flags & Changes) != 0 && (flags & ~0x3f) == 0, "OFPMOFC_BAD_FLAGS");
        Require(IsZero(row[13..16]), "NXBRC_MUST_BE_ZERO");
        MessageCheck.Port(BinaryPrimitives.ReadUInt32BigEndian(row[8..]));
        var m = new WireReader(row[Head..]);
        MatchCheck.Read(ref m, strict: true);
        return r.Take(Head + m.Position);
    }

    /// <summary>A group with its buckets.</summary>
    public static ReadOnlySpan<byte> Group(ref WireReader r)
    {
        var row = r.Rest;
        Require(row.Length >= 8, BadLength);
        var length = BinaryPrimitives.ReadUInt16BigEndian(row);
        Require(length >= 8 && length <= row.Length, BadLength);
        MessageCheck.Buckets(row[8..length]);
        return r.Take(length);
    }

    /// <summary>A meter with its bands.</summary>
    public static ReadOnlySpan<byte> Meter(ref WireReader r)
    {
        var row = r.Rest;
        Require(row.Length >= 8, BadLength);
        var length = BinaryPrimitives.ReadUInt16BigEndian(row);
        Require(length >= 8 && length <= row.Length, BadLength);
        MessageCheck.Bands(row[8..length]);
        return r.Take(length);
    }

    /// <summary>Counters of a group, with a length that is right: Open vSwitch takes as many whole buckets as fit.</summary>
    public static ReadOnlySpan<byte> GroupCounters(ref WireReader r)
    {
        var row = r.Rest;
        Require(row.Length >= 40, BadLength);
        return Counters(ref r, BinaryPrimitives.ReadUInt16BigEndian(row), 0);
    }

    /// <summary>Counters of a meter.</summary>
    public static ReadOnlySpan<byte> MeterCounters(ref WireReader r)
    {
        var row = r.Rest;
        Require(row.Length >= 40, BadLength);
        var length = BinaryPrimitives.ReadUInt16BigEndian(row[4..]);
        Require((length - 40) % 16 == 0, BadLength);
        return Counters(ref r, length, 4);
    }

    private static ReadOnlySpan<byte> Counters(ref WireReader r, int length, int lengthAt)
    {
        const int Head = 40;
        const int Pair = 16;
        var whole = length < Head ? int.MaxValue : Head + ((length - Head) / Pair * Pair);
        Require(whole <= r.Remaining, BadLength);
        var row = r.Take(whole).ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(row.AsSpan(lengthAt), (ushort)whole);
        return row;
    }

    private static void Instructions(ReadOnlySpan<byte> row, int length, int start)
    {
        Require(length >= start && (length - start) % 8 == 0 && length <= row.Length, "OFPBIC_BAD_LEN");
        InstructionBytes.Decode(row[start..length]);
    }
}
