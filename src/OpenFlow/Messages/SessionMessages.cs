using System.Collections.Immutable;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>The versions that a side speaks (OpenFlow 1.3.5 section 7.5.1).</summary>
/// <param name="HeaderVersion">The version in the message's header: the highest.</param>
/// <param name="Bitmap">Bit n = version n; null when the side sent no bitmap.</param>
public sealed record Hello(byte HeaderVersion, uint? Bitmap) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Hello;

    /// <summary>True when the side speaks wire version <paramref name="version"/> (4 = OpenFlow 1.3).</summary>
    public bool Speaks(byte version) => Bitmap is { } bits ? version < 32 && (bits >> version & 1) != 0 : version <= HeaderVersion;

    internal override void EncodeBody(WireWriter w)
    {
        if (Bitmap is { } bits)
        {
            w.U16(1);
            w.U16(8);
            w.U32(bits);
        }
    }

    internal static Hello Decode(ref WireReader r, byte version)
    {
        while (r.Remaining >= 4)
        {
            var start = r.Position;
            var (type, length) = (r.U16(), r.U16());
            if (length < 4 || length - 4 > r.Remaining)
            {
                // What a hello says beyond versions is nobody's business (OpenFlow 1.3.5 section 7.5.1).
                break;
            }

            if (type == 1 && length >= 8)
            {
                return new Hello(version, r.U32());
            }

            r.Take(length - 4);
            r.SkipPadding(start);
        }

        return new Hello(version, null);
    }
}

/// <summary>A question for life, or its answer with the same bytes.</summary>
/// <param name="IsReply">True for the answer.</param>
/// <param name="Data">Any bytes.</param>
public sealed record Echo(bool IsReply, ImmutableArray<byte> Data) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => IsReply ? MessageType.EchoReply : MessageType.EchoRequest;

    /// <inheritdoc/>
    public bool Equals(Echo? other) => other is not null && IsReply == other.IsReply && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsReply, Data.Length);

    internal override void EncodeBody(WireWriter w) => w.Bytes(Data.AsSpan());
}

/// <summary>What the switch is (OpenFlow 1.3.5 section 7.3.1).</summary>
/// <param name="DatapathId">The switch's number.</param>
/// <param name="Buffers">Packets it can buffer.</param>
/// <param name="Tables">Flow tables it has.</param>
/// <param name="AuxiliaryId">0 on the main connection.</param>
/// <param name="Capabilities">OFPC_* bits.</param>
public sealed record FeaturesReply(ulong DatapathId, uint Buffers, byte Tables, byte AuxiliaryId, uint Capabilities) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.FeaturesReply;

    internal override void EncodeBody(WireWriter w)
    {
        w.U64(DatapathId);
        w.U32(Buffers);
        w.U8(Tables);
        w.U8(AuxiliaryId);
        w.Zeros(2);
        w.U32(Capabilities);
        w.U32(0);
    }

    internal static FeaturesReply Decode(ref WireReader r)
    {
        var (id, buffers, tables, auxiliary) = (r.U64(), r.U32(), r.U8(), r.U8());
        r.Skip(2);
        var capabilities = r.U32();
        r.Skip(4);
        return new FeaturesReply(id, buffers, tables, auxiliary, capabilities);
    }
}

/// <summary>How the switch handles fragments and packet-ins (OpenFlow 1.3.5 section 7.3.2).</summary>
/// <param name="Kind">GetConfigReply or SetConfig.</param>
/// <param name="Flags">0 normal, 1 drop, 2 reassemble fragments, 3 nx-match.</param>
/// <param name="MissSendLength">Bytes of a packet in a packet-in.</param>
public sealed record SwitchConfig(MessageType Kind, ushort Flags, ushort MissSendLength) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => Kind;

    internal override void EncodeBody(WireWriter w)
    {
        w.U16(Flags);
        w.U16(MissSendLength);
    }
}

/// <summary>What this controller may do (OpenFlow 1.3.5 section 7.3.9): 0 no change, 1 equal, 2 master, 3 slave.</summary>
/// <param name="IsReply">True for the answer.</param>
/// <param name="Role">The role.</param>
/// <param name="GenerationId">Orders claims for master and slave.</param>
public sealed record RoleMessage(bool IsReply, uint Role, ulong GenerationId) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => IsReply ? MessageType.RoleReply : MessageType.RoleRequest;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Role);
        w.U32(0);
        w.U64(GenerationId);
    }

    internal static RoleMessage Decode(ref WireReader r, bool reply)
    {
        var role = r.U32();
        r.Skip(4);
        return new RoleMessage(reply, role, r.U64());
    }
}

/// <summary>Which events the switch sends, as bits of reasons, in master or equal role and in slave role (OpenFlow 1.3.5 section 7.3.10).</summary>
/// <param name="Kind">GetAsyncReply or SetAsync.</param>
/// <param name="PacketIn">Packet-in reasons, master.</param>
/// <param name="PacketInSlave">Packet-in reasons, slave.</param>
/// <param name="PortStatus">Port-status reasons, master.</param>
/// <param name="PortStatusSlave">Port-status reasons, slave.</param>
/// <param name="FlowRemoved">Flow-removed reasons, master.</param>
/// <param name="FlowRemovedSlave">Flow-removed reasons, slave.</param>
public sealed record AsyncConfig(MessageType Kind, uint PacketIn, uint PacketInSlave, uint PortStatus, uint PortStatusSlave, uint FlowRemoved, uint FlowRemovedSlave) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => Kind;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(PacketIn);
        w.U32(PacketInSlave);
        w.U32(PortStatus);
        w.U32(PortStatusSlave);
        w.U32(FlowRemoved);
        w.U32(FlowRemovedSlave);
    }

    internal static AsyncConfig Decode(ref WireReader r, MessageType kind) => new(kind, r.U32(), r.U32(), r.U32(), r.U32(), r.U32(), r.U32());
}

/// <summary>Bytes of a message whose type the library does not decode; kept, never an error.</summary>
/// <param name="Kind">The type in the header.</param>
/// <param name="Body">What follows the header.</param>
public sealed record UnknownMessage(MessageType Kind, ImmutableArray<byte> Body) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => Kind;

    /// <inheritdoc/>
    public bool Equals(UnknownMessage? other) => other is not null && Kind == other.Kind && Body.AsSpan().SequenceEqual(other.Body.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, ByteHash.Of(Body.AsSpan()));

    internal override void EncodeBody(WireWriter w) => w.Bytes(Body.AsSpan());
}
