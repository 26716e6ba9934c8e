namespace Weft.Agent.Host.Netlink;

public sealed partial class RouteNetlink
{
    private const ushort NewAddress = 20;
    private const ushort DelAddress = 21;
    private const ushort GetAddress = 22;
    private const ushort IfaAddress = 1;
    private const ushort IfaLocal = 2;
    private const byte IfaFlagNoDad = 2;
    private const byte ScopeUniverse = 0;
    private const byte ScopeLink = 253;

    /// <summary>The addresses of an interface, without IPv6 link-local ones (the kernel's own).</summary>
    public IReadOnlyList<InterfaceAddress> Addresses(int index)
    {
        var found = new List<InterfaceAddress>();
        Dump(GetAddress, AddressHeader(default, 0, 0, index), $"list the addresses of interface {index}", message =>
        {
            // struct ifaddrmsg {u8 family, u8 prefixlen, u8 flags, u8 scope, u32 index}. Older kernels ignore the index in a dump.
            if (BitConverter.ToInt32(message.Body[4..]) == index && ReadAddress(message.Body) is { } address)
            {
                found.Add(address);
            }
        });
        return found;
    }

    /// <summary>Adds a request that gives an interface an address. IPv6 is usable at once (no duplicate address detection). Having it already is no error.</summary>
    public static void AddAddress(NetlinkBatch batch, int index, InterfaceAddress address)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(NewAddress, NetlinkFlags.Create | NetlinkFlags.Replace, $"add address {address} to interface {index}", Errno.Exists);
        WriteAddress(batch.Writer, index, address, address.Family == LinuxNative.AfInet6 ? IfaFlagNoDad : (byte)0);
        batch.End();
    }

    /// <summary>Adds a request that takes an address away. One that is not there is no error.</summary>
    public static void DeleteAddress(NetlinkBatch batch, int index, InterfaceAddress address)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(DelAddress, NetlinkFlags.None, $"remove address {address} from interface {index}", Errno.AddressNotAvailable);
        WriteAddress(batch.Writer, index, address, 0);
        batch.End();
    }

    private static void WriteAddress(NetlinkWriter writer, int index, InterfaceAddress address, byte flags)
    {
        writer.Raw(AddressHeader(address, address.Family, flags, index));
        writer.Attribute(IfaLocal, address.Address);
        writer.Attribute(IfaAddress, address.Address);
    }

    private static byte[] AddressHeader(InterfaceAddress address, byte family, byte flags, int index)
    {
        byte[] header = [family, (byte)address.PrefixLength, flags, ScopeUniverse, 0, 0, 0, 0];
        BitConverter.TryWriteBytes(header.AsSpan(4), index);
        return header;
    }

    private static InterfaceAddress? ReadAddress(ReadOnlySpan<byte> body)
    {
        if (body[0] == LinuxNative.AfInet6 && body[3] == ScopeLink)
        {
            return null;
        }

        InterfaceAddress? address = null;
        var attributes = new AttributeReader(body[8..]);
        while (attributes.Next())
        {
            // IFA_LOCAL is the own address where both exist (point to point); IPv6 has only IFA_ADDRESS.
            if ((attributes.Type == IfaLocal || (attributes.Type == IfaAddress && address is null)) && attributes.Address is { } ip)
            {
                address = new InterfaceAddress(ip, body[1]);
            }
        }

        return address;
    }
}
