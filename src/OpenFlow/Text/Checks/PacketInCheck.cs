using Weft.OpenFlow.Wire;
using static Weft.OpenFlow.Text.Checks.ActionBytes;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Checks the properties of NXT_PACKET_IN2 and NXT_RESUME (decode_nx_packet_in2 in ofp-packet.c).</summary>
internal static class PacketInCheck
{
    private const string BadLength = "OFPBPC_BAD_LEN";
    private const int MaxStackEntry = 128;

    public static void Check(ref WireReader r)
    {
        var packet = 0;
        uint whole = 0;
        ReadOnlyMemory<byte> continuation = default;
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r);
            switch (type)
            {
                case 0: packet = value.Length; break;
                case 1: whole = (uint)Number(value, 4); break;
                case 2: Number(value, 4); break;
                case 3 or 5: Number(value, 1); break;
                case 4: Number(value, 12); break;
                case 6: MatchCheck.Entries(value.Span, strict: false); break;
                case 8: continuation = Nested(value); break;
                case >= 0x8000 or -1:
                    // Who reads packets leaves out what it does not know.
                    break;
            }
        }

        Require(packet > 0 && (whole == 0 || whole >= packet), "OFPBRC_BAD_LEN");
        Continuation(continuation.Span);
    }

    /// <summary>Nested properties begin behind four bytes of padding.</summary>
    public static ReadOnlyMemory<byte> Nested(ReadOnlyMemory<byte> value)
    {
        Require(value.Length >= 4, BadLength);
        return value[4..];
    }

    /// <summary>A value of exactly this many bytes; eight and more begin with padding. Of one and two bytes there may be more.</summary>
    public static UInt128 Number(ReadOnlyMemory<byte> value, int bytes)
    {
        Require(bytes <= 2 ? value.Length >= bytes : value.Length == bytes, BadLength);
        return WireReader.ReadNumber(value.Span[..bytes]);
    }

    private static void Continuation(ReadOnlySpan<byte> data)
    {
        var r = new WireReader(data);
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r);
            switch (type)
            {
                case 0x8000: Number(value, 16); break;
                case 0x8001: Require(value.Length <= MaxStackEntry, BadLength); break;
                case 0x8002 or 0x8008: Number(value, 4); break;
                case 0x8004: Number(value, 1); break;
                case 0x8005: Number(value, 12); break;
                case 0x8006 or 0x8007:
                    Require(value.Length >= 4, BadLength);
                    CheckNested(value.Span[4..], false);
                    break;
            }
        }
    }
}
