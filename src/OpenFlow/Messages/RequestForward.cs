using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Another controller's group or meter mod, as the switch tells of it (ONF extension for request forwarding, 2350).</summary>
/// <param name="Request">A <see cref="GroupMod"/> or <see cref="MeterMod"/>.</param>
public sealed record RequestForward(OpenFlowMessage Request) : OpenFlowMessage
{
    internal const uint Subtype = 2350;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <summary>The transaction id of the request.</summary>
    public uint RequestXid { get; init; }

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Onf);
        w.U32(Subtype);
        Request.Encode(w, RequestXid);
    }
}

/// <summary>Asks for the table of tunnel options (NXT_TLV_TABLE_REQUEST); the answer is a <see cref="TlvTableReply"/>.</summary>
public sealed record TlvTableRequest : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(25);
    }
}
