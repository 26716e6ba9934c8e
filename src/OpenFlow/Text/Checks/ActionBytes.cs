using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Decodes actions as strictly as Open vSwitch (the decode functions of ofp-actions.c), with its errors in its order.</summary>
internal static partial class ActionBytes
{
    private const string BadArgument = "OFPBAC_BAD_ARGUMENT";
    private const string BadSetArgument = "OFPBAC_BAD_SET_ARGUMENT";
    private const string MustBeZero = "NXBRC_MUST_BE_ZERO";
    private const int ExtensionHeader = 16;

    /// <summary>All actions of a list.</summary>
    /// <exception cref="OpenFlowFormatException">Named as Open vSwitch names it.</exception>
    public static List<FlowAction> Decode(ReadOnlySpan<byte> data)
    {
        var actions = new List<FlowAction>();
        while (!data.IsEmpty)
        {
            var length = Length(data, out var vendor, out var type);
            var action = data[..length];
            Check(action, vendor, type);
            actions.Add(Decoded(action));
            data = data[length..];
        }

        return actions;
    }

    private static FlowAction Decoded(ReadOnlySpan<byte> action)
    {
        try
        {
            return ActionCodec.DecodeStrict(action);
        }
        catch (Exception e) when (e is ArgumentException or OpenFlowFormatException { ErrorName: null })
        {
            throw new OpenFlowFormatException(e.Message, BadArgument);
        }
    }

    private static int Length(ReadOnlySpan<byte> data, out uint vendor, out int type)
    {
        Require(data.Length >= 8, "OFPBAC_BAD_LEN");
        (vendor, type) = (0, BinaryPrimitives.ReadUInt16BigEndian(data));
        if (type == 0xffff)
        {
            vendor = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
            Require(vendor is Vendors.Nicira or Vendors.Onf, "OFPBAC_BAD_VENDOR");
            Require(data.Length >= ExtensionHeader, "OFPBAC_BAD_LEN");
            type = BinaryPrimitives.ReadUInt16BigEndian(data[8..]);
        }

        if (ActionLengths.Of(vendor, type) is not var (least, most))
        {
            throw new OpenFlowFormatException($"an unknown action {type}", vendor == 0 ? "OFPBAC_BAD_TYPE" : "OFPBAC_BAD_VENDOR_TYPE");
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        Require(length <= data.Length && length >= least && length <= most && length % 8 == 0, "OFPBAC_BAD_LEN");
        return length;
    }

    private static void Check(ReadOnlySpan<byte> a, uint vendor, int type)
    {
        if (vendor == 0)
        {
            CheckStandard(a, type);
        }
        else if (vendor == Vendors.Onf)
        {
            CheckMove(a, 20, Word(a, 12), Word(a, 14), Word(a, 16));
        }
        else
        {
            CheckNicira(a, type);
        }
    }

    private static void CheckStandard(ReadOnlySpan<byte> a, int type)
    {
        var word = Word(a, 4);
        switch (type)
        {
            case 0: CheckOutputPort(BinaryPrimitives.ReadUInt32BigEndian(a[4..])); break;
            case 1: Require((word & ~0xfff) == 0, BadArgument); break;
            case 2: Require(a[4] <= 7, BadArgument); break;
            case 7: Require((a[4] & 3) == 0, BadArgument); break;
            case 8: Require(a[4] <= 3, BadArgument); break;
            case 17: Require(word is 0x8100 or 0x88a8, BadArgument); break;
            case 19: Require(word is 0x8847 or 0x8848, BadArgument); break;
            case 25: CheckSetField(a); break;
        }
    }

    private static void CheckNicira(ReadOnlySpan<byte> a, int type)
    {
        switch (type)
        {
            case 6: CheckMove(a, 16, Word(a, 10), Word(a, 12), Word(a, 14)); break;
            case 7:
                var load = Nxm(a, 12);
                CheckTarget(load, Word(a, 10) >> 6, (Word(a, 10) & 63) + 1);
                break;
            case 10: CheckMultipath(a); break;
            case 12 or 13: CheckBundle(a, type == 13); break;
            case 14 or 44: Require(IsZero(a[13..16]), BadArgument); break;
            case 15:
                Require(IsZero(a[18..24]), BadArgument);
                CheckSource(Nxm(a, 12), Word(a, 10) >> 6, (Word(a, 10) & 63) + 1);
                break;
            case 32: CheckOutputReg2(a); break;
            case 16 or 45: LearnBytes.Check(a, type == 45); break;
            case 21:
                Require(IsZero(a[12..16]), MustBeZero);
                Require((a.Length - 16) / 2 >= Word(a, 10), "OFPBAC_BAD_LEN");
                break;
            case 22: Require(IsZero(a[10..16]), MustBeZero); break;
            case 27 or 28: CheckStack(a, type == 28); break;
            case 29 or 38 or 41: CheckSample(a, type); break;
            case 33: CheckLoad2(a); break;
            case 34: Require(a[11] is >= 2 and <= 64 && a[10] < a[11], "NXBAC_BAD_CONJUNCTION"); break;
            case 35: CheckConntrack(a); break;
            case 36: CheckNat(a); break;
            case 37: CheckController(a); break;
            case 39: Require(BinaryPrimitives.ReadUInt32BigEndian(a[12..]) >= 14, BadArgument); break;
            case 42: CheckNested(a[16..], false); break;
            case 46: CheckEncap(a); break;
            case 47: Require(a.Length <= 16, "NXBAC_UNKNOWN_ED_PROP"); break;
            case 49:
                var larger = new WireReader(a[14..]);
                var flag = PullHeader(ref larger);
                Require(IsZero(larger.Rest), MustBeZero);
                CheckTarget(flag, Word(a, 12), 1);
                break;
            case 50:
                var deleted = new WireReader(a[10..]);
                PullHeader(ref deleted);
                break;
            case 254 or 255:
                // Debugging actions: ovs-ofctl knows them only with --enable-dummy.
                throw new OpenFlowFormatException("a debugging action", "OFPBAC_BAD_VENDOR_TYPE");
        }
    }

    private static void CheckSetField(ReadOnlySpan<byte> a)
    {
        var r = new WireReader(a[4..]);
        var (field, value, masked) = PullEntry(ref r);
        if (masked)
        {
            throw new OpenFlowFormatException("a masked set_field does not exist in OpenFlow 1.3", "OFPBAC_BAD_SET_MASK");
        }

        Require(IsZero(r.Rest), BadSetArgument);
        Require(field != F.InPort && field.IsWritable && MatchCheck.IsValid(field, value), BadSetArgument);
        Require(field != F.VlanVid || (value & 0x1000) != 0, BadSetArgument);
    }

    private static void CheckLoad2(ReadOnlySpan<byte> a)
    {
        var r = new WireReader(a[10..]);
        var (field, _, _) = PullEntry(ref r);
        Require(IsZero(r.Rest) && field.IsWritable, BadSetArgument);
    }

    private static void CheckMove(ReadOnlySpan<byte> a, int headers, int count, int from, int to)
    {
        var r = new WireReader(a[headers..]);
        var source = PullHeader(ref r);
        var target = PullHeader(ref r);
        Require(IsZero(r.Rest), MustBeZero);
        CheckSource(source, from, count);
        CheckTarget(target, to, count);
    }

    private static void CheckOutputReg2(ReadOnlySpan<byte> a)
    {
        var r = new WireReader(a[14..]);
        var field = PullHeader(ref r);
        Require(IsZero(r.Rest), MustBeZero);
        CheckSource(field, Word(a, 10) >> 6, (Word(a, 10) & 63) + 1);
    }

    private static void CheckStack(ReadOnlySpan<byte> a, bool pop)
    {
        var r = new WireReader(a[12..]);
        var field = PullHeader(ref r);
        var count = r.U16();
        Require(IsZero(r.Rest), MustBeZero);
        if (pop)
        {
            CheckTarget(field, Word(a, 10), count);
        }
        else
        {
            CheckSource(field, Word(a, 10), count);
        }
    }

    private static void CheckMultipath(ReadOnlySpan<byte> a)
    {
        var target = Nxm(a, 28);
        var count = (Word(a, 26) & 63) + 1;
        var links = Word(a, 18) + 1;
        Require(IsHash(Word(a, 10)) && Word(a, 16) <= 3 && count >= 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)links - 1), BadArgument);
        CheckTarget(target, Word(a, 26) >> 6, count);
    }

    private static void CheckBundle(ReadOnlySpan<byte> a, bool load)
    {
        const uint InPortHeader = 0x00000002;
        const int MaxMembers = 2048;
        var (algorithm, fields, count, range) = (Word(a, 10), Word(a, 12), Word(a, 20), Word(a, 22));
        var right = IsHash(fields) && count <= MaxMembers && algorithm <= 1 && BinaryPrimitives.ReadUInt32BigEndian(a[16..]) == InPortHeader && IsZero(a[28..32]);
        Field? target = null;
        if (load)
        {
            // Open vSwitch forgets here what it found before.
            target = Nxm(a, 24);
            right = (range & 63) + 1 >= 16;
        }
        else
        {
            right &= range == 0 && IsZero(a[24..28]);
        }

        Require(a.Length - 32 >= count * 2, "OFPBAC_BAD_LEN");
        Require(right, BadArgument);
        if (target is not null)
        {
            CheckTarget(target, range >> 6, (range & 63) + 1);
        }

        for (var i = 0; i < count; i++)
        {
            var member = Word(a, 32 + (2 * i));
            Require(member == 0xffff || (IsOutputPort16(member) && member != 0xfffd), "OFPBAC_BAD_OUT_PORT");
        }
    }

    private static void CheckSample(ReadOnlySpan<byte> a, int type)
    {
        Require(type != 41 || IsZero(a[27..32]), MustBeZero);
        Require((type != 41 || a[26] <= 2) && Word(a, 10) != 0, BadArgument);
    }

    /// <summary>A field that is named by its header alone (nx_pull_header).</summary>
    internal static Field PullHeader(ref WireReader r)
    {
        var header = MatchCheck.Header(ref r);
        var field = MatchCheck.Find(header) ?? throw new OpenFlowFormatException($"an unknown field 0x{header >> 32:x8}", "OFPBMC_BAD_FIELD");
        Require((header & 1UL << 40) == 0, "OFPBMC_BAD_MASK");
        return field;
    }

    /// <summary>A field that is named by a header of 32 bits.</summary>
    internal static Field Nxm(ReadOnlySpan<byte> a, int offset)
    {
        var header = BinaryPrimitives.ReadUInt32BigEndian(a[offset..]);
        return (header >> 16 == 0xffff ? null : MatchCheck.Find((ulong)header << 32))
            ?? throw new OpenFlowFormatException($"an unknown field 0x{header:x8}", "OFPBAC_BAD_SET_TYPE");
    }

    private static (Field Field, UInt128 Value, bool Masked) PullEntry(ref WireReader r)
    {
        var header = MatchCheck.Header(ref r);
        var masked = (header & 1UL << 40) != 0;
        if (MatchCheck.Find(header) is not { } field)
        {
            throw new OpenFlowFormatException($"an unknown field 0x{header >> 32:x8}", F.FindHeader(header) is null ? "OFPBAC_BAD_SET_TYPE" : "OFPBAC_BAD_SET_LEN");
        }

        var length = (int)(header >> 32 & 0xff) - (header >> 48 == 0xffff ? 4 : 0);
        Require(length <= r.Remaining, "OFPBMC_BAD_LEN");
        var payload = r.Take(length);
        var width = masked ? length / 2 : length;
        for (var i = 0; masked && i < width; i++)
        {
            Require((payload[i] & ~payload[width + i]) == 0, "OFPBMC_BAD_WILDCARDS");
        }

        return (field, width <= 16 ? WireReader.ReadNumber(payload[..width]) : 0, masked);
    }

    internal static void CheckSource(Field field, int offset, int count)
    {
        var bits = field == F.VlanVid ? 12 : field.Bits;
        Require(count > 0 && offset < bits && offset + count <= bits, "OFPBAC_BAD_SET_LEN");
    }

    internal static void CheckTarget(Field field, int offset, int count)
    {
        CheckSource(field, offset, count);
        Require(field.IsWritable, BadSetArgument);
    }

    internal static void CheckOutputPort(uint port)
    {
        // 1.1+ numbers are 16 bits wide or at the very end; any = none is no port to send to.
        Require(port < Ports.Max || (port >= 0xffffff00 && IsOutputPort16((int)(port & 0xffff))), "OFPBAC_BAD_OUT_PORT");
    }

    private static bool IsOutputPort16(int port) => port is < 0xff00 or (>= 0xfff8 and <= 0xfffe);

    /// <summary>Hash fields of multipath and bundle: 0 to 6, as in nicira-ext.h.</summary>
    private static bool IsHash(int fields) => fields <= 6;

    private static int Word(ReadOnlySpan<byte> a, int offset) => BinaryPrimitives.ReadUInt16BigEndian(a[offset..]);

    internal static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    internal static void Require(bool condition, string error)
    {
        if (!condition)
        {
            throw new OpenFlowFormatException("damaged", error);
        }
    }
}
