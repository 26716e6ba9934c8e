using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text;

/// <content>Values, ports, tables and bit ranges.</content>
internal sealed partial class FlowTextParser
{
    public byte Table(string text)
    {
        if (names?.FindTable(Unquote(text)) is { } table)
        {
            return table;
        }

        return text == "ALL" ? (byte)255 : NumberText.U8(text, "table");
    }

    public uint Port(string text)
    {
        if (text.Length > 0 && char.IsAsciiDigit(text[0]))
        {
            var number = NumberText.U32(text, "port");
            return number is >= 0xff00 and <= 0xffff ? Ports.FromOpenFlow10((ushort)number)
                : number < Ports.Max || number >= 0xffffff00 ? number
                : throw new OpenFlowTextException($"port {text} is outside 0 to 65279 and the reserved numbers");
        }

        foreach (var reserved in (ReadOnlySpan<uint>)[Ports.InPort, Ports.Table, Ports.Normal, Ports.Flood, Ports.All, Ports.Controller, Ports.Local, Ports.Any, Ports.Unset])
        {
            if (string.Equals(Ports.ReservedName(reserved), text, StringComparison.OrdinalIgnoreCase))
            {
                return reserved;
            }
        }

        return string.Equals(text, "NONE", StringComparison.OrdinalIgnoreCase)
            ? Ports.Any
            : names?.FindPort(Unquote(text)) ?? throw new OpenFlowTextException($"{text}: unknown port");
    }

    /// <summary>"value" or "value/mask" of a field.</summary>
    public FieldMatch Condition(Field field, string text)
    {
        if (field.IsVariable && Option(text) is { } option)
        {
            return new FieldMatch(field, option);
        }

        var (value, mask) = Value(field, text);
        try
        {
            return new FieldMatch(field, value, mask);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException($"{field.Name}={text}: {e.Message}");
        }
    }

    /// <summary>"NXM_NX_REG0[0..3]", "reg0[5]", "reg0[]" or "reg0".</summary>
    public static BitRange Range(string text)
    {
        var bracket = text.IndexOf('[', StringComparison.Ordinal);
        var name = bracket < 0 ? text : text[..bracket];
        var field = ActionField(name);
        if (bracket < 0)
        {
            return field.Whole;
        }

        if (text[^1] != ']')
        {
            throw new OpenFlowTextException($"{text}: missing ] at the end");
        }

        var bits = text[(bracket + 1)..^1];
        if (bits.Length == 0)
        {
            return field.Whole;
        }

        var dots = bits.IndexOf("..", StringComparison.Ordinal);
        var first = Bit(dots < 0 ? bits : bits[..dots], text);
        var last = dots < 0 ? first : Bit(bits[(dots + 2)..], text);
        return first <= last && last < field.Bits
            ? new BitRange(field, first, last - first + 1)
            : throw new OpenFlowTextException($"{text}: {field.Name} has bits 0 to {field.Bits - 1}, first before last");
    }

    /// <summary>The field that actions mean by a name: in_port is the 16-bit one.</summary>
    public static Field ActionField(string name)
    {
        var field = Fields.Fields.Find(name) ?? throw new OpenFlowTextException($"{name}: unknown field");
        return field == Fields.Fields.InPort && name != "in_port_oxm" && !name.StartsWith("OXM", StringComparison.Ordinal) ? Fields.Fields.InPort16 : field;
    }

    /// <summary>A tunnel option that 128 bits do not hold, or nothing, which asks for its presence; null for others.</summary>
    /// <exception cref="OpenFlowTextException">It has more than 124 bytes, or is no number.</exception>
    private static OptionBits? Option(string text)
    {
        if (text is "" or "*" or "ANY")
        {
            return OptionBits.Present;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var value = NumberText.Long(slash < 0 ? text : text[..slash]);
        var mask = slash < 0 ? null : NumberText.Long(text[(slash + 1)..]);
        if (value is null || (slash >= 0 && mask is null) || Math.Max(value.Length, mask?.Length ?? 0) is var bytes && bytes < 16 || (bytes == 16 && mask is null))
        {
            return null;
        }

        return bytes > OptionBits.MostBytes ? throw new OpenFlowTextException($"{text}: a tunnel option has at most {OptionBits.MostBytes} bytes")
            : mask is null ? new OptionBits(value)
            : new OptionBits([.. new byte[bytes - value.Length], .. value], [.. new byte[bytes - mask.Length], .. mask]);
    }

    private (UInt128 Value, UInt128 Mask) Value(Field field, string text)
    {
        if (text is "*" or "ANY")
        {
            return (0, 0);
        }

        switch (field.Format)
        {
            case FieldFormat.CtState or FieldFormat.TcpFlags or FieldFormat.TunnelFlags:
                return FlagsValue(field, text);
            case FieldFormat.Fragment:
                return text switch
                {
                    "no" => (0, 3),
                    "yes" => (1, 1),
                    "first" => (1, 3),
                    "later" => (3, 3),
                    "not_later" => (0, 2),
                    _ => throw new OpenFlowTextException($"{text}: unknown fragment type; no, yes, first, later, not_later are known"),
                };
            case FieldFormat.PacketType:
                var parts = text.Trim('(', ')').Split(',');
                return parts.Length == 2
                    ? (((UInt128)NumberText.U16(parts[0], "packet_type") << 16) | NumberText.U16(parts[1], "packet_type"), field.FullMask)
                    : throw new OpenFlowTextException($"{text}: a packet type is (namespace,type)");
            case FieldFormat.Port:
                var port = Port(text);
                return (field.Bits == 16 ? Ports.ToOpenFlow10(port) : port, field.FullMask);
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var value = Single(field, slash < 0 ? text : text[..slash]);
        var mask = slash < 0 ? field.FullMask : Mask(field, text[(slash + 1)..]);
        return (value & (slash < 0 ? UInt128.MaxValue : mask), mask);
    }

    private static UInt128 Single(Field field, string text)
    {
        switch (field.Format)
        {
            case FieldFormat.Ethernet:
                return MacAddress.Parse(text).Bits;
            case FieldFormat.IPv4 or FieldFormat.IPv6:
                var v6 = field.Format == FieldFormat.IPv6;
                return IPAddress.TryParse(text, out var address) && address.AddressFamily == (v6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork) && (v6 || text.Count(c => c == '.') == 3)
                    ? Field.FromAddress(address, v6)
                    : throw new OpenFlowTextException($"{field.Name}: \"{text}\" is not an IPv{(v6 ? 6 : 4)} address");
            default:
                var value = NumberText.Parse(text, field.Name);
                return (value & ~field.FullMask) == 0 ? value : throw new OpenFlowTextException($"{field.Name}: {text} does not fit into {field.Bits} bits");
        }
    }

    private static UInt128 Mask(Field field, string text)
    {
        if (field.Format is FieldFormat.IPv4 or FieldFormat.IPv6 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix))
        {
            if (prefix > field.Bits)
            {
                throw new OpenFlowTextException($"{field.Name}: a prefix of {prefix} bits, at most {field.Bits} are possible");
            }

            return prefix == 0 ? 0 : field.FullMask >> (field.Bits - prefix) << (field.Bits - prefix);
        }

        // ovs-ofctl takes masks wider than the field (0xffff for a 12-bit one).
        return (field.Format is FieldFormat.Ethernet or FieldFormat.IPv4 or FieldFormat.IPv6 ? Single(field, text) : NumberText.Parse(text, field.Name + " mask")) & field.FullMask;
    }

    private static (UInt128 Value, UInt128 Mask) FlagsValue(Field field, string text)
    {
        var flagNames = FlowTextWriter.FlagNames(field.Format);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0)
        {
            var m = NumberText.U32(text[(slash + 1)..], field.Name) & (uint)field.FullMask;
            return (NumberText.U32(text[..slash], field.Name) & m, m);
        }

        uint value = 0;
        uint mask = 0;
        if (text[0] is '+' or '-')
        {
            for (var i = 0; i < text.Length;)
            {
                var end = text.AsSpan(i + 1).IndexOfAny('+', '-');
                end = end < 0 ? text.Length : i + 1 + end;
                var bit = 1u << Flag(text[(i + 1)..end]);
                if ((mask & bit) != 0)
                {
                    throw new OpenFlowTextException($"{text}: each {field.Name} flag can be specified only once");
                }

                mask |= bit;
                value |= text[i] == '+' ? bit : 0;
                i = end;
            }

            return (value, mask);
        }

        foreach (var word in text.Split('|'))
        {
            value |= char.IsAsciiDigit(word.Length > 0 ? word[0] : ' ') ? NumberText.U32(word, field.Name) : 1u << Flag(word);
        }

        return (value, field.FullMask);

        int Flag(string word)
        {
            var index = Array.IndexOf(flagNames, word);
            return index >= 0 ? index : throw new OpenFlowTextException($"{field.Name}: unknown flag \"{word}\"; {string.Join(' ', flagNames)} are known");
        }
    }

    private static int Bit(string text, string whole) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bit)
        ? bit
        : throw new OpenFlowTextException($"{whole}: bits are [first..last], [bit] or []");

    private static string Unquote(string text) => text.Length >= 2 && text[0] == '"' && text[^1] == '"' ? text[1..^1] : text;
}
