using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Decodes instructions as strictly as Open vSwitch (ofpacts_pull_openflow_instructions).</summary>
internal sealed class InstructionBytes
{
    private const string BadLength = "OFPBIC_BAD_LEN";
    private const int FirstVirtualMeter = unchecked((int)0xffff0001);

    private uint? _meter;
    private byte? _goto;

    /// <summary>The actions that run at once.</summary>
    public List<FlowAction> Applied { get; private set; } = [];

    /// <summary>The actions of the action set; null without that instruction.</summary>
    public List<FlowAction>? Written { get; private set; }

    public static InstructionBytes Decode(ReadOnlySpan<byte> data)
    {
        ActionBytes.Require(data.Length % 8 == 0, BadLength);
        var result = new InstructionBytes();
        ReadOnlySpan<byte> applied = default;
        ReadOnlySpan<byte> written = default;
        var seen = 0;
        var alone = true;
        while (!data.IsEmpty)
        {
            int type = BinaryPrimitives.ReadUInt16BigEndian(data);
            int length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);

            // Instructions whose length does not fit end the list; the rest is too much.
            ActionBytes.Require(length >= 8 && length % 8 == 0 && length <= data.Length, BadLength);
            CheckType(type, length);
            ActionBytes.Require((seen & 1 << type) == 0, "OFPBIC_DUP_INST");
            seen |= 1 << type;
            alone &= type == 4;
            var body = data[8..length];
            switch (type)
            {
                case 1: result._goto = data[4]; break;
                case 3: written = body; break;
                case 4: applied = body; break;
                case 6: result._meter = BinaryPrimitives.ReadUInt32BigEndian(data[4..]); break;
            }

            data = data[length..];
        }

        result.Applied = ActionBytes.Decode(applied);
        if ((seen & 1 << 3) != 0)
        {
            result.Written = ActionBytes.Decode(written);
            ActionOrder.CheckSet(result.Written);
        }

        // A conjunction stands beside no other instruction either.
        ActionBytes.Require(alone || !result.Applied.Exists(a => a is Conjunction), "NXBAC_BAD_CONJUNCTION");
        ActionOrder.Check(result.Applied, ActionOrder.Outer.Flow);
        return result;
    }

    /// <summary>Checks them against the packets that the match lets through (ofpacts_check_consistency).</summary>
    public void CheckAgainst(FlowShape shape, byte table)
    {
        ActionBytes.Require(_meter is null || ((int)_meter != 0 && (uint)_meter < unchecked((uint)FirstVirtualMeter)), "OFPMMFC_INVALID_METER");
        var consistent = new ActionCheck(shape).Check(Applied);
        if (Written is not null)
        {
            new ActionCheck(shape with { }).Check(Written);
        }

        ActionBytes.Require(_goto is null || table == 255 || _goto > table, "OFPBIC_BAD_TABLE_ID");
        ActionBytes.Require(consistent, "OFPBAC_MATCH_INCONSISTENT");
    }

    private static void CheckType(int type, int length)
    {
        ActionBytes.Require(type != 0xffff, "OFPBIC_BAD_EXPERIMENTER");
        var right = type switch { 1 or 6 => length == 8, 2 => length == 24, 3 or 4 => true, 5 => length == 8, _ => throw new OpenFlowFormatException($"unknown instruction {type}", "OFPBIC_UNKNOWN_INST") };
        ActionBytes.Require(right, BadLength);
    }
}
