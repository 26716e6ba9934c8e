using System.Collections.Immutable;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>The actions of OpenFlow 1.3 that change headers and have at most one small operand.</summary>
public enum HeaderOperation : ushort
{
    /// <summary>Sets the MPLS time to live.</summary>
    SetMplsTtl = 15,

    /// <summary>Decrements the MPLS time to live.</summary>
    DecMplsTtl = 16,

    /// <summary>Pushes a VLAN tag with this Ethernet type.</summary>
    PushVlan = 17,

    /// <summary>Removes the outer VLAN tag.</summary>
    PopVlan = 18,

    /// <summary>Pushes an MPLS label with this Ethernet type.</summary>
    PushMpls = 19,

    /// <summary>Removes the outer MPLS label; the operand is the Ethernet type of what is below.</summary>
    PopMpls = 20,

    /// <summary>Sets the IP time to live.</summary>
    SetIpTtl = 23,

    /// <summary>Decrements the IP time to live.</summary>
    DecIpTtl = 24,
}

/// <summary>A standard action that changes a header.</summary>
/// <param name="Operation">Which.</param>
/// <param name="Operand">Ethernet type or time to live; 0 where there is none.</param>
public sealed record ChangeHeader(HeaderOperation Operation, ushort Operand = 0) : FlowAction
{
    /// <summary>Decrements the time to live; a packet whose time is over goes to the controllers.</summary>
    public static ChangeHeader DecTtl { get; } = new(HeaderOperation.DecIpTtl);

    /// <summary>Removes the outer VLAN tag.</summary>
    public static ChangeHeader PopVlan { get; } = new(HeaderOperation.PopVlan);

    /// <summary>Pushes a tag of type 0x8100; set <c>Fields.VlanVid</c> after it.</summary>
    public static ChangeHeader PushVlan { get; } = new(HeaderOperation.PushVlan, 0x8100);

    internal override void Encode(WireWriter w)
    {
        w.U16((ushort)Operation);
        w.U16(8);
        if (Operation is HeaderOperation.SetIpTtl or HeaderOperation.SetMplsTtl)
        {
            w.U8((byte)Operand);
            w.Zeros(3);
        }
        else
        {
            w.U16(Operand);
            w.Zeros(2);
        }
    }

    internal override void Format(FlowTextWriter text)
    {
        switch (Operation)
        {
            case HeaderOperation.SetMplsTtl: text.Put($"set_mpls_ttl({Operand})"); break;
            case HeaderOperation.DecMplsTtl: text.Put("dec_mpls_ttl"); break;
            case HeaderOperation.PushVlan: text.Put("push_vlan:"); text.Hex(Operand); break;
            case HeaderOperation.PopVlan: text.Put("pop_vlan"); break;
            case HeaderOperation.PushMpls: text.Put($"push_mpls:0x{Operand:x4}"); break;
            case HeaderOperation.PopMpls: text.Put($"pop_mpls:0x{Operand:x4}"); break;
            case HeaderOperation.SetIpTtl: text.Put($"mod_nw_ttl:{Operand}"); break;
            default: text.Put("dec_ttl"); break;
        }
    }
}

/// <summary>Decrements the time to live and names the controllers that hear of packets whose time is over (NXAST_DEC_TTL_CNT_IDS).</summary>
public sealed record DecTtlWithIds(ImmutableArray<ushort> ControllerIds) : FlowAction
{
    /// <inheritdoc/>
    public bool Equals(DecTtlWithIds? other) => other is not null && ControllerIds.AsSpan().SequenceEqual(other.ControllerIds.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => ControllerIds.Aggregate(17, HashCode.Combine);

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 21);
        w.U16((ushort)ControllerIds.Length);
        w.Zeros(4);
        foreach (var id in ControllerIds)
        {
            w.U16(id);
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"dec_ttl({string.Join(',', ControllerIds)})");
}

/// <summary>Actions of Open vSwitch without operands.</summary>
public enum SimpleOperation : ushort
{
    /// <summary>Ends the pipeline for this packet.</summary>
    Exit = 17,

    /// <summary>Forgets the conntrack state of the packet.</summary>
    CtClear = 43,

    /// <summary>Decrements the NSH time to live.</summary>
    DecNshTtl = 48,

    /// <summary>Handles the packet in userspace (test switches only).</summary>
    DebugSlow = 254,

    /// <summary>Recirculates the packet (test switches only).</summary>
    DebugRecirc = 255,
}

/// <summary>An action of Open vSwitch without operands.</summary>
public sealed record SimpleAction(SimpleOperation Operation) : FlowAction
{
    /// <summary>Ends the pipeline for this packet.</summary>
    public static SimpleAction Exit { get; } = new(SimpleOperation.Exit);

    /// <summary>Forgets the conntrack state of the packet.</summary>
    public static SimpleAction CtClear { get; } = new(SimpleOperation.CtClear);

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, (int)Operation);
        w.Zeros(6);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put(Operation switch
    {
        SimpleOperation.Exit => "exit",
        SimpleOperation.CtClear => "ct_clear",
        SimpleOperation.DecNshTtl => "dec_nsh_ttl",
        SimpleOperation.DebugSlow => "debug_slow",
        _ => "debug_recirc",
    });
}

/// <summary>An action that the library does not know, kept as its bytes.</summary>
public sealed record UnknownAction(ImmutableArray<byte> Bytes) : FlowAction
{
    /// <inheritdoc/>
    public bool Equals(UnknownAction? other) => other is not null && Bytes.AsSpan().SequenceEqual(other.Bytes.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(Bytes.AsSpan());

    internal override void Encode(WireWriter w) => w.Bytes(Bytes.AsSpan());

    internal override void Format(FlowTextWriter text)
    {
        if (text.IsStrict)
        {
            throw new OpenFlowFormatException("an action is unknown or damaged", "OFPBAC_BAD_TYPE");
        }

        text.Put("unknown:");
        text.HexBytes(Bytes.AsSpan());
    }
}
