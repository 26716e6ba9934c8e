using System.Net;
using System.Text;

namespace Weft.Agent.Host.Netlink;

/// <summary>Walks over attributes. Stops at the first that does not fit, as the kernel's own parser does.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>The attribute's type without the NESTED and byte-order flags.</summary>
    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public readonly uint UInt32 => Value.Length >= 4 ? BitConverter.ToUInt32(Value) : 0;

    public readonly int Int32 => (int)UInt32;

    public readonly string Text => Encoding.UTF8.GetString(Value.TrimEnd((byte)0));

    public readonly IPAddress? Address => Value.Length is 4 or 16 ? new IPAddress(Value) : null;

    /// <summary>Moves to the next attribute.</summary>
    public bool Next()
    {
        if (_rest.Length < 4)
        {
            return false;
        }

        var length = BitConverter.ToUInt16(_rest);
        if (length < 4 || length > _rest.Length)
        {
            return false;
        }

        Type = (ushort)(BitConverter.ToUInt16(_rest[2..]) & 0x3fff);
        Value = _rest[4..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
