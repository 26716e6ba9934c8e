using System.Globalization;
using System.Net;

namespace Weft.OpenFlow.Fields;

/// <content>How a line of the table becomes a field.</content>
public static partial class Fields
{
    internal static ulong Header(FieldHeader h, int bytes)
    {
        var (oxmClass, experimenter) = h.Class switch
        {
            FieldClass.Nxm0 => (0x0000, 0u),
            FieldClass.Nxm1 => (0x0001, 0u),
            FieldClass.Basic => (0x8000, 0u),
            FieldClass.PacketRegs => (0x8001, 0u),
            FieldClass.Ericsson => (0x1000, 0u),
            FieldClass.NiciraExperimenter => (0xffff, Wire.Vendors.Nicira),
            FieldClass.Onf => (0xffff, Wire.Vendors.Onf),
            _ => (0xffff, 0x005ad650u),
        };
        var length = oxmClass == 0xffff ? bytes + 4 : bytes;
        return ((ulong)oxmClass << 48) | ((ulong)h.Number << 41) | ((ulong)length << 32) | experimenter;
    }

    private static Field<byte> U8(string name, int bits, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, bool alias = false) =>
        Add<byte>(name, bits, 1, nxm, oxm, mask, format, pre, writable, v => v, b => (byte)b, alias);

    private static Field<ushort> U16(string name, int bits, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, bool alias = false) =>
        Add<ushort>(name, bits, 2, nxm, oxm, mask, format, pre, writable, v => v, b => (ushort)b, alias);

    private static Field<uint> U32(string name, int bits, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, bool alias = false) =>
        Add<uint>(name, bits, 4, nxm, oxm, mask, format, pre, writable, v => v, b => (uint)b, alias);

    private static Field<ulong> U64(string name, int bits, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, bool alias = false) =>
        Add<ulong>(name, bits, 8, nxm, oxm, mask, format, pre, writable, v => v, b => (ulong)b, alias);

    private static Field<UInt128> U128(string name, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, bool alias = false) =>
        Add<UInt128>(name, 128, 16, nxm, oxm, mask, format, pre, writable, v => v, b => b, alias);

    private static Field<MacAddress> Mac(string name, FieldHeader nxm, FieldHeader? oxm, Prerequisite pre, bool writable) =>
        Add<MacAddress>(name, 48, 6, nxm, oxm, true, FieldFormat.Ethernet, pre, writable, v => v.Bits, b => new MacAddress((ulong)b), false);

    private static Field<IPAddress> V4(string name, FieldHeader nxm, FieldHeader? oxm, Prerequisite pre, bool writable) =>
        Add<IPAddress>(name, 32, 4, nxm, oxm, true, FieldFormat.IPv4, pre, writable, v => Field.FromAddress(v, false), b => Field.ToAddress(b, false), false);

    private static Field<IPAddress> V6(string name, FieldHeader nxm, FieldHeader? oxm, Prerequisite pre, bool writable) =>
        Add<IPAddress>(name, 128, 16, nxm, oxm, true, FieldFormat.IPv6, pre, writable, v => Field.FromAddress(v, true), b => Field.ToAddress(b, true), false);

    private static Field<UInt128>[] DeclareTunMetadata()
    {
        var fields = new Field<UInt128>[64];
        for (var i = 0; i < fields.Length; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"tun_metadata{i}");
            const int MostBytes = OptionBits.MostBytes;
            var header = Header(new(name, FieldClass.Nxm1, 40 + i), 0);
            var named = Header(new(name, FieldClass.Nxm1, 40 + i), MostBytes);
            fields[i] = new Field<UInt128>(name, 8 * MostBytes, 16, named, $"NXM_NX_TUN_METADATA{i}", header, true, FieldFormat.Hexadecimal, Prerequisite.None, true, v => v, b => b)
            {
                IsVariable = true,
            };
            Register(fields[i]);
        }

        return fields;
    }

    private static Field<T> Add<T>(string name, int bits, int bytes, FieldHeader nxm, FieldHeader? oxm, bool mask, FieldFormat format, Prerequisite pre, bool writable, Func<T, UInt128> toBits, Func<UInt128, T> fromBits, bool alias)
        where T : notnull
    {
        var field = new Field<T>(name, bits, bytes, Header(nxm, bytes), nxm.Name, Header(oxm ?? nxm, bytes), mask, format, pre, writable, toBits, fromBits) { IsAlias = alias };
        Register(field);
        if (oxm is { } other)
        {
            OxmNames.Add((other.Name, field));
        }

        return field;
    }

    private static void Register(Field field)
    {
        field.Order = Declared.Count;
        Declared.Add(field);
    }
}
