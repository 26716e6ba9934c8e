using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text.Checks;

namespace Weft.OpenFlow.Text;

/// <summary>Messages from the texts that ovs-ofctl takes.</summary>
public static class ModText
{
    /// <summary>Reads the argument of add-flow, add-group or add-meter. What the text begins with decides which it is.</summary>
    /// <exception cref="OpenFlowTextException">It is none of them, damaged, or something that Open vSwitch refuses: actions that do not fit the match, a weight outside a select group.</exception>
    public static OpenFlowMessage Parse(string text, NameMap? names = null)
    {
        var message = Read(text.Trim(), names);
        try
        {
            MessageCheck.Check(message.ToBytes(0));
            return message;
        }
        catch (OpenFlowFormatException e)
        {
            throw new OpenFlowTextException($"{text.Trim()}: Open vSwitch refuses this with {e.ErrorName}{ErrorNames.Remedy(e.ErrorName)}");
        }
    }

    private static OpenFlowMessage Read(string trimmed, NameMap? names)
    {
        try
        {
            if (trimmed.StartsWith("group_id", StringComparison.Ordinal) || (trimmed.StartsWith("type=", StringComparison.Ordinal) && trimmed.Contains("group_id=", StringComparison.Ordinal)))
            {
                return new GroupMod(GroupCommand.Add, GroupText.Parse(trimmed, names));
            }

            return trimmed.StartsWith("meter=", StringComparison.Ordinal)
                ? new MeterMod(MeterCommand.Add, MeterText.Parse(trimmed))
                : FlowMod.Add(FlowText.Parse(trimmed, names));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or FormatException)
        {
            throw new OpenFlowTextException(e.Message);
        }
    }

    /// <summary>Reads the argument of a flow command: add-flow, mod-flows, del-flows (with --strict).</summary>
    public static FlowMod ParseFlowMod(string text, FlowCommand command, NameMap? names = null) => new FlowTextParser(names).FlowMod(text, command);
}
