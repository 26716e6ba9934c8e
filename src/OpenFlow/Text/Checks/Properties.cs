using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Properties: type, length without padding, value, padding to eight bytes (ofp-prop.c).</summary>
internal static class Properties
{
    private const int Experimenter = 0xffff;

    /// <summary>The next one: its type, -1 for an experimenter's, which types from <paramref name="experimenter"/> on are, and its value.</summary>
    public static (int Type, ReadOnlyMemory<byte> Value) Pull(ref WireReader r, int experimenter = Experimenter)
    {
        ActionBytes.Require(r.Remaining >= 4, "OFPBPC_BAD_LEN");
        int type = r.U16();
        int length = r.U16();
        var padded = (length + 7) & ~7;
        ActionBytes.Require(length >= (type >= experimenter ? 12 : 4) && padded - 4 <= r.Remaining, "OFPBPC_BAD_LEN");
        var value = r.Take(padded - 4)[..(length - 4)];
        if (type >= experimenter)
        {
            ActionBytes.Require(!ActionBytes.IsZero(value[..4]), "OFPBPC_BAD_EXPERIMENTER");
            return (-1, default);
        }

        return (type, value.ToArray());
    }
}
