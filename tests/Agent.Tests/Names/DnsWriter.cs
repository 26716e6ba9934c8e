using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Weft.Agent.Tests.Names;

/// <summary>Writes answers of a name server.</summary>
internal sealed class DnsWriter
{
    private readonly List<byte> _bytes = [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0];
    private readonly string _asked;

    public DnsWriter(string asked)
    {
        _asked = asked;
        Name(asked);
        _bytes.AddRange([0, 1, 0, 1]);
    }

    public DnsWriter A(string name, string address, uint life) => Record(name, 1, life, IPAddress.Parse(address).GetAddressBytes());

    public DnsWriter Aaaa(string name, string address, uint life) => Record(name, 28, life, IPAddress.Parse(address).GetAddressBytes());

    public DnsWriter Cname(string name, string target, uint life) => Record(name, 5, life, [.. target.Split('.').SelectMany(Label), 0]);

    public byte[] ToArray() => [.. _bytes];

    private DnsWriter Record(string name, ushort type, uint life, byte[] data)
    {
        if (string.Equals(name, _asked, StringComparison.OrdinalIgnoreCase))
        {
            _bytes.AddRange([0xc0, 12]);
        }
        else
        {
            Name(name);
        }

        var head = new byte[10];
        BinaryPrimitives.WriteUInt16BigEndian(head, type);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), 1);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), life);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(8), (ushort)data.Length);
        _bytes.AddRange(head);
        _bytes.AddRange(data);
        _bytes[7]++;
        return this;
    }

    private void Name(string name) => _bytes.AddRange([.. name.Split('.').SelectMany(Label), 0]);

    private static IEnumerable<byte> Label(string label) => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length);
}
