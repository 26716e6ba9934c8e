using System.Net;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>One direction of the connections that <see cref="FlushConntrack"/> ends. What is not given matches everything.</summary>
public sealed record ConntrackTuple
{
    /// <summary>Source address.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>Destination address.</summary>
    public IPAddress? Destination { get; init; }

    /// <summary>Source port; 0 for any.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>Destination port; 0 for any.</summary>
    public ushort DestinationPort { get; init; }

    internal void Encode(WireWriter w, ushort type)
    {
        // ofp-prop.h: u16 type, u16 length without padding, value, padded to 8; a nested property begins with 4 bytes of padding.
        var start = w.Length;
        w.U16(type);
        w.U16(0);
        w.Zeros(4);
        Put(w, 0, Source);
        Put(w, 1, Destination);
        Put(w, 2, SourcePort);
        Put(w, 3, DestinationPort);
        w.PatchU16(start + 2, w.Length - start);
    }

    private static void Put(WireWriter w, ushort type, IPAddress? address)
    {
        if (address is not null)
        {
            w.U16(type);
            w.U16(20);
            w.Bytes(address.MapToIPv6().GetAddressBytes());
            w.Zeros(4);
        }
    }

    private static void Put(WireWriter w, ushort type, ushort port)
    {
        if (port != 0)
        {
            w.U16(type);
            w.U16(6);
            w.U16(port);
            w.Zeros(2);
        }
    }
}

/// <summary>Ends connections that the tracker knows (NXT_CT_FLUSH, Open vSwitch 3.1). Connections that match everything that is given are forgotten.</summary>
/// <remarks>Only switches receive it; read back, it is an <see cref="ExperimenterMessage"/>.</remarks>
/// <param name="Protocol">IP protocol, for example 17; 0 for any.</param>
public sealed record FlushConntrack(byte Protocol) : OpenFlowMessage
{
    private const ushort OriginalType = 0;
    private const ushort ReplyType = 1;
    private const ushort ZoneType = 2;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <summary>The zone, or null: all.</summary>
    public ushort? Zone { get; init; }

    /// <summary>The direction of the first packet, before translation.</summary>
    public ConntrackTuple? Original { get; init; }

    /// <summary>The direction of the answers, as they come: from the translated destination.</summary>
    public ConntrackTuple? Reply { get; init; }

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(32);
        w.U8(Protocol);
        w.Zeros(7);
        Original?.Encode(w, OriginalType);
        Reply?.Encode(w, ReplyType);
        if (Zone is { } zone)
        {
            w.U16(ZoneType);
            w.U16(6);
            w.U16(zone);
            w.Zeros(2);
        }
    }
}
