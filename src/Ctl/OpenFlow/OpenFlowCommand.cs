using System.CommandLine;

namespace Weft.Ctl.OpenFlow;

/// <summary><c>weftctl openflow</c>: OpenFlow 1.3 between text and bytes, for people and scripts.</summary>
internal static class OpenFlowCommand
{
    public static Command Create() => new("openflow", "Translate OpenFlow 1.3 messages between bytes and the syntax of ovs-ofctl.")
    {
        DecodeCommand.Create(),
        EncodeCommand.Create(),
    };

    internal static Option<string> OutputOption()
    {
        var option = new Option<string>("--output", "-o") { Description = "text, or json: one object a line.", DefaultValueFactory = _ => "text" };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }
}
