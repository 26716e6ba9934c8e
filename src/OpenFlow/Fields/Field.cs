using System.Globalization;
using System.Net;

namespace Weft.OpenFlow.Fields;

/// <summary>A match field: everything the library knows about it, declared once in <see cref="Fields"/>.</summary>
/// <remarks>The numbers are those of OVS's meta-flow.h, described for users in ovs-fields(7).</remarks>
public abstract class Field
{
    private protected Field(string name, int bits, ulong nxm, string nxmName, ulong oxm, bool maskable, FieldFormat format, Prerequisite prerequisite, bool writable, int bytes)
    {
        Name = name;
        Bits = bits;
        Bytes = bytes;
        NxmHeader = nxm;
        NxmName = nxmName;
        OxmHeader = oxm;
        IsMaskable = maskable;
        Format = format;
        Prerequisite = prerequisite;
        IsWritable = writable;
    }

    /// <summary>The name that ovs-ofctl prints in set_field, e.g. "ip_dst".</summary>
    public string Name { get; }

    /// <summary>The width in bits, 1 to 128; 992 for tun_metadata, see <see cref="OptionBits"/>.</summary>
    public int Bits { get; }

    /// <summary>The width on the wire in bytes.</summary>
    public int Bytes { get; }

    /// <summary>True when a match may give a mask.</summary>
    public bool IsMaskable { get; }

    /// <summary>How values read.</summary>
    public FieldFormat Format { get; }

    /// <summary>What else a match must say.</summary>
    public Prerequisite Prerequisite { get; }

    /// <summary>True when actions may write it.</summary>
    public bool IsWritable { get; }

    /// <summary>The position in <see cref="Fields.All"/>, which is also the order inside a canonical match.</summary>
    public int Order { get; internal set; }

    /// <summary>The field's name in load, move and learn, e.g. "NXM_OF_IP_DST".</summary>
    public string NxmName { get; }

    /// <summary>The 64-bit header (OXM header, then experimenter) in Nicira actions.</summary>
    internal ulong NxmHeader { get; }

    /// <summary>The 64-bit header in OpenFlow 1.3 matches and set_field.</summary>
    internal ulong OxmHeader { get; }

    /// <summary>True for tun_metadata, whose length on the wire is up to the switch's option map.</summary>
    internal bool IsVariable { get; init; }

    /// <summary>True when a canonical match never contains this field but others in its place (xreg0 is reg0 and reg1).</summary>
    internal bool IsAlias { get; init; }

    /// <summary>The ones of every bit of the field, of tun_metadata of the last 128.</summary>
    internal UInt128 FullMask => Bits >= 128 ? UInt128.MaxValue : (UInt128.One << Bits) - 1;

    internal bool IsNxmExperimenter => NxmHeader >> 48 == 0xffff;

    /// <summary>Bits <paramref name="bits"/> of the field, both ends inclusive as in ovs-ofctl: <c>Fields.Reg0[0..3]</c> is NXM_NX_REG0[0..3], four bits.</summary>
    public BitRange this[Range bits]
    {
        get
        {
            var first = bits.Start.IsFromEnd ? Bits - bits.Start.Value : bits.Start.Value;
            var last = bits.End.IsFromEnd ? Bits - 1 - bits.End.Value : bits.End.Value;
            return new BitRange(this, first, last - first + 1);
        }
    }

    /// <summary>One bit of the field; bit 0 is the least significant.</summary>
    public BitRange this[int bit] => new(this, bit, 1);

    /// <summary>The whole field as a range.</summary>
    public BitRange Whole => new(this, 0, Bits);

    /// <summary><paramref name="count"/> bits from bit <paramref name="start"/> on.</summary>
    public BitRange Range(int start, int count) => new(this, start, count);

    /// <summary>The field with this value, given as a number.</summary>
    public FieldMatch IsBits(UInt128 value) => new(this, value, FullMask);

    /// <summary>The bits of <paramref name="mask"/> with these values, given as numbers.</summary>
    public FieldMatch MaskedBits(UInt128 value, UInt128 mask) => new(this, value, mask);

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal static UInt128 FromAddress(IPAddress address, bool v6)
    {
        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out var written);
        if (written != (v6 ? 16 : 4))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{address} is not an IPv{(v6 ? 6 : 4)} address"), nameof(address));
        }

        return Wire.WireReader.ReadNumber(octets[..written]);
    }

    internal static IPAddress ToAddress(UInt128 bits, bool v6)
    {
        Span<byte> octets = stackalloc byte[v6 ? 16 : 4];
        for (var i = octets.Length - 1; i >= 0; i--)
        {
            octets[i] = (byte)bits;
            bits >>= 8;
        }

        return new IPAddress(octets);
    }
}

/// <summary>A match field with values of type <typeparamref name="T"/>.</summary>
/// <typeparam name="T">byte, ushort, uint, ulong, UInt128, <see cref="MacAddress"/> or <see cref="IPAddress"/>.</typeparam>
public sealed class Field<T> : Field
    where T : notnull
{
    private readonly Func<T, UInt128> _toBits;
    private readonly Func<UInt128, T> _fromBits;

    internal Field(string name, int bits, int bytes, ulong nxm, string nxmName, ulong oxm, bool maskable, FieldFormat format, Prerequisite prerequisite, bool writable, Func<T, UInt128> toBits, Func<UInt128, T> fromBits)
        : base(name, bits, nxm, nxmName, oxm, maskable, format, prerequisite, writable, bytes)
    {
        _toBits = toBits;
        _fromBits = fromBits;
    }

    /// <summary>The field has exactly this value.</summary>
    public FieldMatch Is(T value) => new(this, _toBits(value), FullMask);

    /// <summary>The first <paramref name="prefixLength"/> bits of the field are those of <paramref name="value"/>.</summary>
    public FieldMatch Is(T value, int prefixLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, Bits);
        var host = Bits - prefixLength;
        return new(this, _toBits(value), host == 128 ? 0 : (FullMask >> host) << host);
    }

    /// <summary>The bits that are one in <paramref name="mask"/> are those of <paramref name="value"/>.</summary>
    public FieldMatch Masked(T value, T mask) => new(this, _toBits(value), _toBits(mask));

    /// <summary>An action that writes the whole field.</summary>
    public Actions.SetField Set(T value) => new(this, _toBits(value));

    /// <summary>The typed value of bits read from a match or packet.</summary>
    public T Value(UInt128 bits) => _fromBits(bits);

    internal UInt128 ToBits(T value) => _toBits(value);
}
