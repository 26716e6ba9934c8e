using System.Buffers.Binary;
using System.Globalization;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>The properties of <see cref="Encap"/>: class 4 (NSH), type 1 md_type or type 2 TLV (openflow-common.h, ofp-ed-props.h).</summary>
internal static class EncapProperties
{
    private const ushort NshClass = 4;

    private static readonly (uint Type, string Name)[] Types = [(0, "ethernet"), (0x1894f, "nsh"), (0x18847, "mpls"), (0x18848, "mpls_mc")];

    public static string TypeName(uint packetType)
    {
        foreach (var (type, name) in Types)
        {
            if (type == packetType)
            {
                return name;
            }
        }

        return "UNKNOWN";
    }

    public static uint? TypeOf(string name)
    {
        foreach (var (type, known) in Types)
        {
            if (known == name)
            {
                return type;
            }
        }

        return null;
    }

    public static void Format(FlowTextWriter text, ReadOnlySpan<byte> properties)
    {
        while (properties.Length >= 4)
        {
            var type = properties[2];
            var length = Math.Min(Math.Max((int)properties[3], 4), properties.Length);
            var body = properties[4..length];
            if (BinaryPrimitives.ReadUInt16BigEndian(properties) == NshClass && type == 1 && body.Length >= 1)
            {
                text.Put($"md_type={body[0]},");
            }
            else if (BinaryPrimitives.ReadUInt16BigEndian(properties) == NshClass && type == 2 && body.Length >= 4)
            {
                var size = Math.Min((int)body[3], body.Length - 4);
                text.Put($"tlv(0x{BinaryPrimitives.ReadUInt16BigEndian(body):x4},{body[2]},");
                text.HexNumber(body.Slice(4, size));
                text.Put("),");
            }

            properties = properties[Math.Min((length + 7) & ~7, properties.Length)..];
        }

        text.Chomp(',');
    }

    /// <summary>Reads "md_type=1" and "tlv(0x1000,10,0x12345678)".</summary>
    public static byte[] Parse(string text)
    {
        var w = new WireWriter();
        foreach (var (key, value) in FlowTextParser.KeyValues(text))
        {
            var start = w.Length;
            w.U16(NshClass);
            switch (key)
            {
                case "md_type":
                    w.U8(1);
                    w.U8(5);
                    w.U8(NumberText.U8(value, "md_type"));
                    w.Zeros(3);
                    break;
                case "tlv":
                    var parts = value.Split(',');
                    if (parts.Length != 3 || !parts[2].StartsWith("0x", StringComparison.Ordinal))
                    {
                        throw new OpenFlowTextException($"{value}: an NSH TLV is tlv(0xclass,type,0xvalue)");
                    }

                    var hex = parts[2][2..];
                    byte[] data;
                    try
                    {
                        data = Convert.FromHexString(hex.Length % 2 == 0 ? hex : "0" + hex);
                    }
                    catch (FormatException)
                    {
                        throw new OpenFlowTextException($"{parts[2]} is not hexadecimal");
                    }

                    var padded = (data.Length + 7) & ~7;
                    w.U8(2);
                    w.U8(checked((byte)(8 + padded)));
                    w.U16(NumberText.U16(parts[0], "tlv class"));
                    w.U8(byte.Parse(parts[1], CultureInfo.InvariantCulture));
                    w.U8((byte)data.Length);
                    w.Bytes(data);
                    w.Zeros(padded - data.Length);
                    break;
                default:
                    throw new OpenFlowTextException($"{key}: unknown property of encap; md_type and tlv are known");
            }

            w.Pad8(start);
        }

        return w.ToArray();
    }
}
