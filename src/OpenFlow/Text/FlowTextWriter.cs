using System.Net;
using System.Text;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;

namespace Weft.OpenFlow.Text;

/// <summary>Writes ovs-ofctl syntax: the small pieces that every printer needs.</summary>
internal sealed class FlowTextWriter(NameMap? names)
{
    private static readonly string[] CtStates = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];
    private static readonly string[] TcpFlagNames = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"];
    private static readonly string[] TunnelFlagNames = ["oam"];
    private readonly StringBuilder _out = new();

    public int Length => _out.Length;

    /// <summary>True where an action that is damaged or unknown is an error, as in ofp-print; elsewhere it is printed as bytes.</summary>
    public bool IsStrict { get; init; }

    public char Last => _out.Length == 0 ? '\0' : _out[^1];

    public bool HasTableName(byte table) => names?.Table(table) is not null;

    public static string[] FlagNames(FieldFormat format) => format switch
    {
        FieldFormat.CtState => CtStates,
        FieldFormat.TcpFlags => TcpFlagNames,
        _ => TunnelFlagNames,
    };

    public void Put(string text) => _out.Append(text);

    /// <summary>How much stays when what follows turns out to be damaged.</summary>
    public int Committed { get; private set; }

    /// <summary>Keeps what is written so far.</summary>
    public void Commit() => Committed = _out.Length;

    /// <summary>Takes back what was written behind this length.</summary>
    public void Truncate(int length) => _out.Length = length;

    public void Optional(bool condition, string text)
    {
        if (condition)
        {
            _out.Append(text);
        }
    }

    /// <summary>Removes a last character, if it is this one.</summary>
    public void Chomp(char c)
    {
        if (Last == c)
        {
            _out.Length--;
        }
    }

    /// <summary>C's %#x: 0x1f, but 0 for zero.</summary>
    public void Hex(ulong value) => _out.Append(value == 0 ? "0" : $"0x{value:x}");

    /// <summary>OVS's ds_put_hex: 0x without leading zeros, 0 for zero.</summary>
    public void Hex(UInt128 value) => _out.Append(value == 0 ? "0" : $"0x{value:x}");

    public void HexNumber(ReadOnlySpan<byte> bytes)
    {
        var text = Convert.ToHexStringLower(bytes).TrimStart('0');
        _out.Append(text.Length == 0 ? "0" : "0x" + text);
    }

    /// <summary>OVS's ds_put_printable: what is not printable ASCII as a backslash and three octal digits.</summary>
    public void Printable(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            _out.Append(b is < 0x20 or > 0x7e or (byte)'\\' or (byte)'"' ? "\\" + Convert.ToString(b, 8).PadLeft(3, '0') : ((char)b).ToString());
        }
    }

    /// <summary>01.02.03.</summary>
    public void HexBytes(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            _out.Append(i == 0 ? "" : ".").Append($"{bytes[i]:x2}");
        }
    }

    /// <summary>ovs's ds_put_hex_dump: eight-digit offset, sixteen bytes, printable characters.</summary>
    public void HexDump(ReadOnlySpan<byte> bytes)
    {
        for (var offset = 0; offset < bytes.Length; offset += 16)
        {
            var row = bytes[offset..Math.Min(offset + 16, bytes.Length)];
            _out.Append($"{offset:x8}  ");
            for (var i = 0; i < 16; i++)
            {
                _out.Append(i < row.Length ? $"{row[i]:x2}{(i == 7 ? '-' : ' ')}" : "   ");
            }

            _out.Append('|');
            foreach (var b in row)
            {
                _out.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
            }

            _out.Append(' ', 16 - row.Length).Append('|').Append('\n');
        }
    }

    public void Port(uint port)
    {
        if (Ports.ReservedName(port) is { } reserved)
        {
            _out.Append(reserved);
        }
        else if (names?.Port(port) is { } name)
        {
            PutName(name);
        }
        else
        {
            _out.Append(port >= 0xffffff00 ? port & 0xffff : port);
        }
    }

    public void Table(byte table)
    {
        if (names?.Table(table) is { } name)
        {
            PutName(name);
        }
        else
        {
            _out.Append(table);
        }
    }

    public void Address(IPAddress address) => _out.Append(address.IsIPv4MappedToIPv6 || IsIPv4Compatible(address) ? OvsIPv6(address) : address.ToString());

    public void Actions(ActionList actions, string whenEmpty)
    {
        if (actions.IsEmpty)
        {
            _out.Append(whenEmpty);
            return;
        }

        var first = true;
        foreach (var action in actions)
        {
            Optional(!first, ",");
            first = false;
            action.Format(this);
        }
    }

    public void Instructions(FlowInstructions instructions)
    {
        if (instructions.IsDrop)
        {
            _out.Append("drop");
            return;
        }

        var first = true;
        foreach (var instruction in instructions.Instructions)
        {
            Optional(!first, ",");
            first = false;
            instruction.Format(this);
        }
    }

    /// <summary>A field's value as set_field and learn print it (mf_format of meta-flow.c).</summary>
    public void Value(Field field, UInt128 value, UInt128 mask)
    {
        var exact = mask == field.FullMask || (field.IsVariable && mask == 0);
        switch (field.Format)
        {
            case FieldFormat.Ethernet:
                _out.Append(new MacAddress((ulong)value));
                Optional(!exact, $"/{new MacAddress((ulong)mask)}");
                break;
            case FieldFormat.IPv4 or FieldFormat.IPv6:
                AddressWithMask(field, value, mask);
                break;
            case FieldFormat.Port when exact:
                Port(field.Bits == 16 ? Ports.FromOpenFlow10((ushort)value) : (uint)value);
                break;
            case FieldFormat.CtState or FieldFormat.TcpFlags or FieldFormat.TunnelFlags:
                Flags(field, (uint)value, (uint)mask);
                break;
            case FieldFormat.Fragment:
                _out.Append(FragmentName((byte)value, (byte)mask));
                break;
            case FieldFormat.PacketType:
                _out.Append(value == 0 ? "eth" : $"packet_type=({(uint)value >> 16},0x{(uint)value & 0xffff:x})");
                break;
            default:
                if (field.Format == FieldFormat.Hexadecimal)
                {
                    Hex(value);
                }
                else
                {
                    _out.Append(value);
                }

                Optional(!exact, $"/0x{mask:x}");
                break;
        }
    }

    /// <summary>A long tunnel option: its value, and its mask when that is not of ones.</summary>
    public void Option(OptionBits option)
    {
        HexNumber(option.Value);
        if (option.Mask.ContainsAnyExcept((byte)0xff))
        {
            _out.Append('/');
            HexNumber(option.Mask);
        }
    }

    public void Flags(Field field, uint value, uint mask)
    {
        var flagNames = FlagNames(field.Format);
        if (mask == (uint)field.FullMask)
        {
            if (value == 0)
            {
                _out.Append('0');
            }

            uint unknown = 0;
            for (var bit = 0; bit < 32; bit++)
            {
                if ((value >> bit & 1) == 0)
                {
                    continue;
                }

                if (bit < flagNames.Length)
                {
                    _out.Append(flagNames[bit]).Append('|');
                }
                else
                {
                    unknown |= 1u << bit;
                }
            }

            Optional(unknown != 0, $"0x{unknown:x}|");
            Chomp('|');
            return;
        }

        for (var bit = 0; bit < 32; bit++)
        {
            if ((mask >> bit & 1) != 0)
            {
                _out.Append((value >> bit & 1) != 0 ? '+' : '-').Append(bit < flagNames.Length ? flagNames[bit] : "[Unknown]");
            }
        }
    }

    public static string FragmentName(byte value, byte mask) => (mask, value & mask) switch
    {
        (1, 0) => "no",
        (1, _) => "yes",
        (2, 0) => "not_later",
        (2, _) => "later",
        (3, 0) => "no",
        (3, 1) => "first",
        (3, 3) => "later",
        _ => "<error>",
    };

    public void AddressWithMask(Field field, UInt128 value, UInt128 mask)
    {
        var v6 = field.Format == FieldFormat.IPv6;
        Address(Field.ToAddress(value, v6));
        if (mask == field.FullMask)
        {
            return;
        }

        var host = field.FullMask & ~mask;
        if ((host & (host + 1)) == 0)
        {
            _out.Append('/').Append(field.Bits - (int)UInt128.PopCount(host));
        }
        else
        {
            _out.Append('/');
            Address(Field.ToAddress(mask, v6));
        }
    }

    public override string ToString() => _out.ToString();

    /// <summary>inet_ntop's form where .NET's differs: ::ffff:1.2.3.4 and ::1.2.3.4.</summary>
    private static string OvsIPv6(IPAddress address)
    {
        var octets = address.GetAddressBytes();
        return octets.Length == 4 ? address.ToString() : (address.IsIPv4MappedToIPv6 ? "::ffff:" : "::") + new IPAddress(octets.AsSpan(12));
    }

    private static bool IsIPv4Compatible(IPAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        return address.TryWriteBytes(octets, out var written) && written == 16
            && octets[..12].IndexOfAnyExcept((byte)0) < 0 && (octets[12] | octets[13]) != 0;
    }

    private void PutName(string name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
            {
                _out.Append('"').Append(name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
                return;
            }
        }

        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            _out.Append('"').Append(name).Append('"');
        }
        else
        {
            _out.Append(name);
        }
    }
}
