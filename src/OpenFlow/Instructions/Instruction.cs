using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Instructions;

/// <summary>An instruction of OpenFlow 1.3 (section 5.9).</summary>
public abstract record Instruction : FlowStep
{
    private protected Instruction()
    {
    }

    /// <summary>The place in the order in which Open vSwitch lists instructions.</summary>
    internal abstract int Order { get; }

    internal abstract void Encode(WireWriter w);

    private protected static void EncodeActions(WireWriter w, ushort type, ActionList actions)
    {
        var start = w.Length;
        w.U16(type);
        w.U16(0);
        w.U32(0);
        w.Bytes(actions.Encoded);
        w.PatchU16(start + 2, w.Length - start);
    }
}

/// <summary>Passes the packet through a meter first.</summary>
public sealed record Meter(uint MeterId) : Instruction
{
    internal override int Order => 0;

    internal override void Encode(WireWriter w)
    {
        w.U16(6);
        w.U16(8);
        w.U32(MeterId);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"meter:{MeterId}");
}

/// <summary>Runs actions now. Plain actions given to <see cref="FlowInstructions.Of"/> are the same.</summary>
public sealed record ApplyActions(ActionList Actions) : Instruction
{
    internal override int Order => 1;

    internal override void Encode(WireWriter w)
    {
        if (!Actions.IsEmpty)
        {
            EncodeActions(w, 4, Actions);
        }
    }

    internal override void Format(FlowTextWriter text) => text.Actions(Actions, "");
}

/// <summary>Empties the action set.</summary>
public sealed record ClearActions : Instruction
{
    internal override int Order => 2;

    internal override void Encode(WireWriter w) => EncodeActions(w, 5, default);

    internal override void Format(FlowTextWriter text) => text.Put("clear_actions");
}

/// <summary>Adds actions to the action set, which runs at the end of the pipeline.</summary>
public sealed record WriteActions(ActionList Actions) : Instruction
{
    internal override int Order => 3;

    internal override void Encode(WireWriter w) => EncodeActions(w, 3, Actions);

    internal override void Format(FlowTextWriter text)
    {
        text.Put("write_actions(");
        text.Actions(Actions, "drop");
        text.Put(")");
    }
}

/// <summary>Writes bits of the metadata field.</summary>
public sealed record WriteMetadata(ulong Value, ulong Mask = ulong.MaxValue) : Instruction
{
    internal override int Order => 4;

    internal override void Encode(WireWriter w)
    {
        w.U16(2);
        w.U16(24);
        w.U32(0);
        w.U64(Value);
        w.U64(Mask);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("write_metadata:");
        text.Hex(Value);
        if (Mask != ulong.MaxValue)
        {
            text.Put("/");
            text.Hex(Mask);
        }
    }
}

/// <summary>Goes on in a later table.</summary>
public sealed record GotoTable(byte Table) : Instruction
{
    internal override int Order => 5;

    internal override void Encode(WireWriter w)
    {
        w.U16(1);
        w.U16(8);
        w.U8(Table);
        w.Zeros(3);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("goto_table:");
        text.Table(Table);
    }
}
