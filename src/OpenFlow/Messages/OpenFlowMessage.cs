using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A message without its header. Immutable.</summary>
public abstract record OpenFlowMessage
{
    internal const byte Version = 4;

    private protected OpenFlowMessage()
    {
    }

    /// <summary>The type in the header.</summary>
    public abstract MessageType Type { get; }

    /// <summary>Writes what follows the 8-byte header.</summary>
    internal abstract void EncodeBody(WireWriter w);

    /// <summary>Appends header and body.</summary>
    /// <exception cref="OpenFlowFormatException">The message would be longer than 65,535 bytes.</exception>
    internal void Encode(WireWriter w, uint xid)
    {
        var start = w.Length;
        w.U8(Version);
        w.U8((byte)Type);
        w.U16(0);
        w.U32(xid);
        EncodeBody(w);
        w.PatchU16(start + 2, w.Length - start);
    }

    /// <summary>The message as bytes.</summary>
    /// <inheritdoc cref="Encode" path="/exception"/>
    public byte[] ToBytes(uint xid)
    {
        var w = new WireWriter();
        Encode(w, xid);
        return w.ToArray();
    }
}

/// <summary>A message that is nothing but a header: barrier, features request and the like.</summary>
/// <param name="Kind">Its type.</param>
public sealed record EmptyMessage(MessageType Kind) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => Kind;

    internal override void EncodeBody(WireWriter w)
    {
    }
}
