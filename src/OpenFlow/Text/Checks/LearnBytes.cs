using System.Buffers.Binary;
using Weft.OpenFlow.Wire;
using static Weft.OpenFlow.Text.Checks.ActionBytes;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Checks the bytes of learn actions (decode_LEARN_common and decode_LEARN_specs in ofp-actions.c).</summary>
internal static class LearnBytes
{
    private const string BadArgument = "OFPBAC_BAD_ARGUMENT";
    private const int SpecBits = 0x3ff;
    private const int Immediate = 1 << 13;
    private const int TargetMask = 3 << 11;
    private const int TargetOutput = 2 << 11;

    public static void Check(ReadOnlySpan<byte> a, bool second)
    {
        Require(!second || IsZero(a[38..40]), "NXBAC_MUST_BE_ZERO");
        Require(a[27] == 0 && a[26] != 255, BadArgument);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(a[24..]);
        Require((flags & ~(second ? 7 : 3)) == 0, BadArgument);
        if (!second)
        {
            Specs(a[32..]);
            return;
        }

        var r = new WireReader(a[40..]);
        if ((flags & 4) != 0)
        {
            var target = PullHeader(ref r);
            Require(target.IsWritable, "OFPBAC_BAD_SET_ARGUMENT");
        }
        else
        {
            Require(IsZero(a[36..38]), BadArgument);
        }

        Specs(r.Rest);
    }

    private static void Specs(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int header = BinaryPrimitives.ReadUInt16BigEndian(data);
            data = data[2..];
            if (header == 0)
            {
                break;
            }

            var (bits, immediate, target) = (header & SpecBits, (header & Immediate) != 0, header & TargetMask);
            Require(target < TargetOutput || (target == TargetOutput && !immediate), BadArgument);
            var source = immediate ? 2 * ((bits + 15) / 16) : 6;
            Require(data.Length >= source + (target < TargetOutput ? 6 : 0), "OFPBAC_BAD_LEN");
            if (!immediate)
            {
                _ = Nxm(data, 0);
            }

            data = data[source..];
            if (target < TargetOutput)
            {
                _ = Nxm(data, 0);
                data = data[6..];
            }
        }

        Require(IsZero(data), BadArgument);
    }
}
