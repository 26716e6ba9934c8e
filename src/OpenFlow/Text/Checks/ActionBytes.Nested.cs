using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Text.Checks;

/// <content>Conntrack with the actions inside, translation, controllers, encapsulation.</content>
internal static partial class ActionBytes
{
    private static void CheckConntrack(ReadOnlySpan<byte> a)
    {
        var flags = Word(a, 10);
        Require((flags & 2) == 0 || (flags & 1) != 0, BadArgument);
        if (BinaryPrimitives.ReadUInt32BigEndian(a[12..]) != 0)
        {
            var zone = Nxm(a, 12);
            var count = (Word(a, 16) & 63) + 1;
            CheckSource(zone, Word(a, 16) >> 6, count);
            Require(count == 16, "OFPBAC_BAD_SET_LEN");
        }

        var nested = CheckNested(a[24..], true);
        Require((flags & 1) != 0 || nested.TrueForAll(n => n is Nat { Kind: NatKind.Existing, Persistent: false, Hash: false, Random: false, Address: null }), BadArgument);
    }

    internal static List<FlowAction> CheckNested(ReadOnlySpan<byte> data, bool inConntrack)
    {
        var actions = Decode(data);
        ActionOrder.Check(actions, inConntrack ? ActionOrder.Outer.Conntrack : ActionOrder.Outer.List);
        return actions;
    }

    private static void CheckNat(ReadOnlySpan<byte> a)
    {
        var (flags, present) = (Word(a, 12), Word(a, 14));
        Require((flags & ~0x1f) == 0 && (flags & 3) != 3 && (flags & 0x18) != 0x18, BadArgument);
        var (v4, v6) = ((present & 1) != 0, (present & 5) == 4);
        Require(!v4 || (present & 12) == 0, BadArgument);
        Require(v4 || (present & 2) == 0, BadArgument);
        var r = new WireReader(a[16..]);
        var size = v4 ? 4 : 16;
        if (v4 || v6)
        {
            Require(r.Remaining >= size, BadArgument);
            var least = r.Number(size);
            Require(least != 0, BadArgument);
            if ((present & (v4 ? 2 : 8)) != 0)
            {
                Require(r.Remaining >= size, BadArgument);
                Require(r.Number(size) >= least, BadArgument);
            }
        }
        else
        {
            Require((present & 8) == 0, BadArgument);
        }

        if ((present & 16) == 0)
        {
            Require((present & 32) == 0, BadArgument);
            return;
        }

        Require((v4 || v6) && r.Remaining >= 2, BadArgument);
        var port = r.U16();
        Require(port != 0, BadArgument);
        Require((present & 32) == 0 || (r.Remaining >= 2 && r.U16() >= port), BadArgument);
    }

    private static void CheckController(ReadOnlySpan<byte> a)
    {
        Require(IsZero(a[10..16]), MustBeZero);
        var r = new WireReader(a[16..]);
        while (r.Remaining > 0)
        {
            var (type, body) = Properties.Pull(ref r);
            var right = type switch { 0 or 1 => 2, 2 => 1, 5 => 4, _ => -1 };
            Require(type is >= 0 and <= 5, "OFPBPC_BAD_TYPE");
            Require(right < 0 || (right == 4 ? body.Length == 4 : body.Length >= right), "OFPBPC_BAD_LEN");
        }
    }

    private static void CheckEncap(ReadOnlySpan<byte> a)
    {
        Require(BinaryPrimitives.ReadUInt32BigEndian(a[12..]) is 0 or 0x1894f or 0x18847 or 0x18848, "NXBAC_BAD_HEADER_TYPE");
        var rest = a[16..];
        while (!rest.IsEmpty)
        {
            var (type, length) = (rest[2], (int)rest[3]);
            var padded = (length + 7) & ~7;
            Require(length >= 4 && padded <= rest.Length, "OFPBAC_BAD_LEN");
            Require(Word(rest, 0) == 4 && type is 1 or 2, "NXBAC_UNKNOWN_ED_PROP");
            Require(type == 1 ? length <= 8 : length == 8 + ((rest[7] + 7) & ~7), "NXBAC_BAD_ED_PROP");
            rest = rest[padded..];
        }
    }
}
