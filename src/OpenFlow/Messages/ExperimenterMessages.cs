using System.Collections.Immutable;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A message of an experimenter, kept as bytes where the library has no record for it.</summary>
/// <param name="Experimenter">Whose.</param>
/// <param name="Subtype">Which.</param>
/// <param name="Body">What follows.</param>
public sealed record ExperimenterMessage(uint Experimenter, uint Subtype, ImmutableArray<byte> Body) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <inheritdoc/>
    public bool Equals(ExperimenterMessage? other) => other is not null && Experimenter == other.Experimenter && Subtype == other.Subtype && Body.AsSpan().SequenceEqual(other.Body.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Experimenter, Subtype, ByteHash.Of(Body.AsSpan()));

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Experimenter);
        w.U32(Subtype);
        w.Bytes(Body.AsSpan());
    }
}

/// <summary>What a bundle control does (ONF extension 230): requests are even, the answers odd.</summary>
public enum BundleControlType : ushort
{
    /// <summary>Begins a bundle.</summary>
    OpenRequest,

    /// <summary>It began.</summary>
    OpenReply,

    /// <summary>Checks that all messages are in.</summary>
    CloseRequest,

    /// <summary>They are.</summary>
    CloseReply,

    /// <summary>Applies it.</summary>
    CommitRequest,

    /// <summary>It is applied.</summary>
    CommitReply,

    /// <summary>Throws it away.</summary>
    DiscardRequest,

    /// <summary>It is gone.</summary>
    DiscardReply,
}

/// <summary>Controls a bundle (ONFT_BUNDLE_CONTROL).</summary>
/// <param name="BundleId">The controller's number of the bundle.</param>
/// <param name="Control">What to do.</param>
/// <param name="Flags">1 atomic, 2 ordered.</param>
public sealed record BundleControl(uint BundleId, BundleControlType Control, ushort Flags) : OpenFlowMessage
{
    internal const uint Subtype = 2300;
    internal const uint AddSubtype = 2301;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Onf);
        w.U32(Subtype);
        w.U32(BundleId);
        w.U16((ushort)Control);
        w.U16(Flags);
    }
}

/// <summary>Puts a message into a bundle (ONFT_BUNDLE_ADD_MESSAGE).</summary>
/// <param name="BundleId">The bundle.</param>
/// <param name="Flags">As in the control messages.</param>
/// <param name="Message">The message; it has the same xid.</param>
public sealed record BundleAdd(uint BundleId, ushort Flags, OpenFlowMessage Message) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal uint InnerXid { get; init; }

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Onf);
        w.U32(BundleControl.AddSubtype);
        w.U32(BundleId);
        w.U16(0);
        w.U16(Flags);
        Message.Encode(w, InnerXid);
    }
}

/// <summary>One tunnel option that tun_metadata fields carry.</summary>
/// <param name="OptionClass">Class of the Geneve option.</param>
/// <param name="OptionType">Type of the Geneve option.</param>
/// <param name="Length">Bytes, a multiple of four, 4 to 124.</param>
/// <param name="Index">Which tun_metadata field, 0 to 63.</param>
public sealed record TlvMapping(ushort OptionClass, byte OptionType, byte Length, ushort Index);

/// <summary>Changes the table of tunnel options (NXT_TLV_TABLE_MOD): 0 add, 1 delete, 2 clear.</summary>
public sealed record TlvTableMod(ushort Command, ImmutableArray<TlvMapping> Mappings) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <inheritdoc/>
    public bool Equals(TlvTableMod? other) => other is not null && Command == other.Command && Mappings.AsSpan().SequenceEqual(other.Mappings.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Command, Mappings.Length);

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(24);
        w.U16(Command);
        w.Zeros(6);
        Write(w, Mappings);
    }

    internal static void Write(WireWriter w, ImmutableArray<TlvMapping> mappings)
    {
        foreach (var m in mappings)
        {
            w.U16(m.OptionClass);
            w.U8(m.OptionType);
            w.U8(m.Length);
            w.U16(m.Index);
            w.Zeros(2);
        }
    }

    internal static ImmutableArray<TlvMapping> Read(ref WireReader r)
    {
        var mappings = ImmutableArray.CreateBuilder<TlvMapping>();
        while (r.Remaining > 0)
        {
            mappings.Add(new TlvMapping(r.U16(), r.U8(), r.U8(), r.U16()));
            r.Skip(2);
        }

        return mappings.ToImmutable();
    }
}

/// <summary>The table of tunnel options (NXT_TLV_TABLE_REPLY).</summary>
/// <param name="MaxSpace">Bytes of all options together.</param>
/// <param name="MaxFields">How many options.</param>
/// <param name="Mappings">The options.</param>
public sealed record TlvTableReply(uint MaxSpace, ushort MaxFields, ImmutableArray<TlvMapping> Mappings) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <inheritdoc/>
    public bool Equals(TlvTableReply? other) => other is not null && MaxSpace == other.MaxSpace && MaxFields == other.MaxFields && Mappings.AsSpan().SequenceEqual(other.Mappings.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxSpace, MaxFields, Mappings.Length);

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(26);
        w.U32(MaxSpace);
        w.U16(MaxFields);
        w.Zeros(10);
        TlvTableMod.Write(w, Mappings);
    }
}

/// <summary>Empties a conntrack zone (NXT_CT_FLUSH_ZONE).</summary>
public sealed record FlushConntrackZone(ushort Zone) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(29);
        w.Zeros(6);
        w.U16(Zone);
    }
}

/// <summary>Gives this connection an id that controller actions can name (NXT_SET_CONTROLLER_ID).</summary>
public sealed record SetControllerId(ushort ControllerId) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(20);
        w.Zeros(6);
        w.U16(ControllerId);
    }
}

/// <summary>Chooses the form of packet-ins (NXT_SET_PACKET_IN_FORMAT): 0 standard, 1 NXT_PACKET_IN, 2 NXT_PACKET_IN2.</summary>
public sealed record SetPacketInFormat(uint Format) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(16);
        w.U32(Format);
    }
}

/// <summary>Ends a flow monitor (ONFT_FLOW_MONITOR_CANCEL).</summary>
public sealed record CancelFlowMonitor(uint MonitorId) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Onf);
        w.U32(1870);
        w.U32(MonitorId);
    }
}
