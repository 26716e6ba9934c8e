using System.Net;
using Weft.OpenFlow.Wire;
using static Weft.OpenFlow.Text.Checks.ActionBytes;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Checks the properties of NXT_CT_FLUSH (ofp_ct_match_decode in ofp-ct.c).</summary>
internal static class ConntrackCheck
{
    public static void Check(ref WireReader r)
    {
        r.Skip(1);
        Require(IsZero(r.Take(7)), "NXBRC_MUST_BE_ZERO");
        var family = 0;
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r);
            switch (type)
            {
                case 0 or 1: Tuple(PacketInCheck.Nested(value).Span, ref family); break;
                case 2: PacketInCheck.Number(value, 2); break;
            }
        }
    }

    private static void Tuple(ReadOnlySpan<byte> data, ref int family)
    {
        var r = new WireReader(data);
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r);
            switch (type)
            {
                case 0 or 1:
                    Require(value.Length >= 16, "OFPBPC_BAD_LEN");
                    var address = new IPAddress(value.Span[..16]);
                    var now = address.Equals(IPAddress.IPv6Any) ? 0 : address.IsIPv4MappedToIPv6 ? 4 : 6;
                    Require(family == 0 || now == 0 || family == now, "OFPBPC_BAD_VALUE");
                    family = now;
                    break;
                case 2 or 3 or 4: PacketInCheck.Number(value, 2); break;
                case 5 or 6: PacketInCheck.Number(value, 1); break;
            }
        }
    }
}
