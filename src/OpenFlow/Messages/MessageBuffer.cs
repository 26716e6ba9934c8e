using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Encodes messages one behind the other into memory that is used again: for callers with a transport of their own.</summary>
/// <remarks>Not safe for concurrent use. After the buffer has grown, appending allocates nothing.</remarks>
public sealed class MessageBuffer
{
    private readonly WireWriter _writer = new(64 * 1024);

    /// <summary>What was appended since <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _writer.WrittenMemory;

    /// <summary>Appends a message.</summary>
    /// <exception cref="OpenFlowFormatException">It would be longer than 65,535 bytes; nothing was appended.</exception>
    public void Append(OpenFlowMessage message, uint xid)
    {
        var start = _writer.Length;
        try
        {
            message.Encode(_writer, xid);
        }
        catch
        {
            _writer.Truncate(start);
            throw;
        }
    }

    /// <summary>Forgets the bytes, keeps the memory.</summary>
    public void Clear() => _writer.Clear();
}
