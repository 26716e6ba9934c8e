using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Text.Checks;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Text;

/// <summary>What a switch keeps in a NXT_PACKET_IN2 to resume the pipeline, as Open vSwitch prints it (ofputil_packet_in_private_format).</summary>
/// <remarks>The bytes are the switch's own affair: controllers send them back, and only people read them.</remarks>
internal static class ContinuationText
{
    private const int Bridge = 0x8000;
    private const int Stack = 0x8001;
    private const int Mirrors = 0x8002;
    private const int Conntracked = 0x8003;
    private const int TableId = 0x8004;
    private const int Cookie = 0x8005;
    private const int Actions = 0x8006;
    private const int ActionSet = 0x8007;
    private const int DatapathPort = 0x8008;

    /// <summary>One line for each thing that is kept.</summary>
    /// <param name="text">Gets the lines.</param>
    /// <param name="data">The properties; they were checked (<see cref="PacketInCheck"/>).</param>
    public static void Write(FlowTextWriter text, ReadOnlySpan<byte> data)
    {
        var bridge = "";
        var stack = new List<ReadOnlyMemory<byte>>();
        uint mirrors = 0;
        uint port = 0;
        var conntracked = false;
        var (table, cookie) = ((byte)0, 0UL);
        var actions = new List<(byte Table, ulong Cookie, ActionList Actions)>();
        var actionSet = new List<ActionList>();
        var r = new WireReader(data);
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r);
            switch (type)
            {
                case Bridge: bridge = Uuid(value.Span); break;
                case Stack: stack.Add(value); break;
                case Mirrors: mirrors = (uint)PacketInCheck.Number(value, 4); break;
                case Conntracked: conntracked = true; break;
                case TableId: table = (byte)PacketInCheck.Number(value, 1); break;
                case Cookie: cookie = (ulong)PacketInCheck.Number(value, 12); break;
                case Actions: actions.Add((table, cookie, ActionList.Read(value.Span[4..]))); break;
                case ActionSet: actionSet.Add(ActionList.Read(value.Span[4..])); break;
                case DatapathPort: port = (uint)PacketInCheck.Number(value, 4); break;
            }
        }

        text.Optional(bridge.Length > 0, $" continuation.bridge={bridge}\n");
        WriteStack(text, stack);
        text.Optional(mirrors != 0, $" continuation.mirrors=0x{mirrors:x}\n");
        text.Optional(conntracked, " continuation.conntracked=true\n");
        WriteActions(text, actions);
        if (actionSet.Exists(a => !a.IsEmpty))
        {
            text.Put(" continuation.action_set=");
            WriteLists(text, actionSet);
            text.Put("\n");
        }

        text.Optional(port != 0, $" continuation.odp_port={port}\n");
    }

    private static void WriteStack(FlowTextWriter text, List<ReadOnlyMemory<byte>> stack)
    {
        if (stack.Count == 0)
        {
            return;
        }

        text.Put(" continuation.stack=(top)");
        foreach (var value in stack)
        {
            text.Put(" ");
            text.HexNumber(value.Span);
        }

        text.Put(" (bottom)\n");
    }

    /// <summary>Each list of actions begins with whose table and cookie they are of.</summary>
    private static void WriteActions(FlowTextWriter text, List<(byte Table, ulong Cookie, ActionList Actions)> lists)
    {
        for (var i = 0; i < lists.Count; i++)
        {
            text.Put(i == 0 ? " continuation.actions=unroll_xlate(table=" : ",unroll_xlate(table=");
            text.Table(lists[i].Table);
            text.Put($", cookie={lists[i].Cookie})");
            text.Optional(!lists[i].Actions.IsEmpty, ",");
            text.Actions(lists[i].Actions, "");
        }

        text.Optional(lists.Count > 0, "\n");
    }

    private static void WriteLists(FlowTextWriter text, List<ActionList> lists)
    {
        var first = true;
        foreach (var list in lists.Where(l => !l.IsEmpty))
        {
            text.Optional(!first, ",");
            first = false;
            text.Actions(list, "");
        }
    }

    /// <summary>A UUID, which Open vSwitch sends as four words of the machine's byte order; nothing for zeros.</summary>
    private static string Uuid(ReadOnlySpan<byte> bytes)
    {
        if (ActionBytes.IsZero(bytes))
        {
            return "";
        }

        Span<byte> ordered = stackalloc byte[16];
        for (var i = 0; i < 16; i += 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(ordered[i..], MemoryMarshal.Read<uint>(bytes[i..]));
        }

        return new Guid(ordered, bigEndian: true).ToString();
    }
}
