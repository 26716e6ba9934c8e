using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What a flow mod does.</summary>
public enum FlowCommand : byte
{
    /// <summary>Adds, replacing a flow with the same key.</summary>
    Add,

    /// <summary>Changes the instructions of all flows that the match covers; adds when there is none.</summary>
    Modify,

    /// <summary>Changes the instructions of the flow with this key.</summary>
    ModifyStrict,

    /// <summary>Deletes all flows that the match covers.</summary>
    Delete,

    /// <summary>Deletes the flow with this key.</summary>
    DeleteStrict,
}

/// <summary>Adds, modifies or deletes flows (OpenFlow 1.3.5 section 7.3.4.1).</summary>
/// <param name="Command">What it does.</param>
/// <param name="Flow">The flow; for deletions table, priority and match. Table 255 deletes in all tables.</param>
public sealed record FlowMod(FlowCommand Command, Flow Flow) : OpenFlowMessage
{
    /// <summary>Modify and delete only flows whose cookie has <see cref="CookieFilter"/> in these bits.</summary>
    public ulong CookieMask { get; init; }

    /// <summary>See <see cref="CookieMask"/>.</summary>
    public ulong CookieFilter { get; init; }

    /// <summary>Delete only flows that output here.</summary>
    public uint OutPort { get; init; } = Ports.Any;

    /// <summary>Delete only flows that use this group.</summary>
    public uint OutGroup { get; init; } = uint.MaxValue;

    /// <summary>A buffered packet to run through the flow; 0xffffffff for none.</summary>
    public uint BufferId { get; init; } = uint.MaxValue;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.FlowMod;

    /// <summary>Adds a flow.</summary>
    public static FlowMod Add(Flow flow) => new(FlowCommand.Add, flow);

    /// <summary>Deletes exactly this flow.</summary>
    public static FlowMod Delete(FlowKey key) => new(FlowCommand.DeleteStrict, new Flow(key.Table, key.Priority, key.Match, default));

    /// <summary>Deletes every flow that the match covers, in one table or all (255).</summary>
    public static FlowMod DeleteAll(Match match = default, byte table = 255) => new(FlowCommand.Delete, new Flow(table, Flow.DefaultPriority, match, default));

    internal override void EncodeBody(WireWriter w)
    {
        // 00 cookie, 08 cookie mask, 16 table, command, idle, hard, priority, 24 buffer, 28 out port, 32 out group, 36 flags, pad, match, instructions
        var adds = Command == FlowCommand.Add;
        w.U64(adds || CookieMask == 0 ? Flow.Cookie : CookieFilter);
        w.U64(adds ? 0 : CookieMask);
        w.U8(Flow.Table);
        w.U8((byte)Command);
        w.U16(Flow.IdleTimeout);
        w.U16(Flow.HardTimeout);
        w.U16(Flow.Priority);
        w.U32(BufferId);
        w.U32(OutPort);
        w.U32(OutGroup);
        w.U16((ushort)Flow.Flags);
        w.Zeros(2);
        OxmCodec.WriteMatch(w, Flow.Match);
        w.Bytes(Flow.Instructions.Encoded);
    }

    internal static FlowMod Decode(ref WireReader r)
    {
        var (cookie, mask) = (r.U64(), r.U64());
        var (table, command) = (r.U8(), r.U8());
        var (idle, hard, priority) = (r.U16(), r.U16(), r.U16());
        var (buffer, outPort, outGroup, flags) = (r.U32(), r.U32(), r.U32(), r.U16());
        r.Skip(2);
        var match = OxmCodec.ReadMatch(ref r);
        var instructions = FlowInstructions.Read(r.Rest);
        if (command > 4)
        {
            throw new OpenFlowFormatException($"flow mod: unknown command {command}", "OFPFMFC_BAD_COMMAND");
        }

        var filters = command != 0 && mask != 0;
        var flow = new Flow(table, priority, match, instructions) { Cookie = filters ? 0 : cookie, IdleTimeout = idle, HardTimeout = hard, Flags = (FlowFlags)flags };
        return new FlowMod((FlowCommand)command, flow)
        {
            CookieMask = command == 0 ? 0 : mask,
            CookieFilter = filters ? cookie : 0,
            BufferId = buffer,
            OutPort = outPort,
            OutGroup = outGroup,
        };
    }
}
