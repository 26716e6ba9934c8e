using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>One action. The meanings are those of ovs-actions(7).</summary>
public abstract record FlowAction : FlowStep
{
    private protected FlowAction()
    {
    }

    /// <summary>Appends the action as Open vSwitch writes it on an OpenFlow 1.3 connection.</summary>
    internal abstract void Encode(WireWriter w);

    private protected static int BeginNicira(WireWriter w, int subtype)
    {
        var start = w.Length;
        w.U16(0xffff);
        w.U16(0);
        w.U32(Vendors.Nicira);
        w.U16((ushort)subtype);
        return start;
    }

    /// <summary>Pads to eight bytes and writes the length.</summary>
    private protected static void End(WireWriter w, int start)
    {
        w.Pad8(start);
        w.PatchU16(start + 2, w.Length - start);
    }

    private protected static void EmptyNicira(WireWriter w, int subtype)
    {
        var start = BeginNicira(w, subtype);
        w.Zeros(6);
        End(w, start);
    }
}
