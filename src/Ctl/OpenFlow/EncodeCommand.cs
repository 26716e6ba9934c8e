using System.CommandLine;
using Weft.OpenFlow;
using Weft.OpenFlow.Text;

namespace Weft.Ctl.OpenFlow;

/// <summary><c>weftctl openflow encode</c>: flow, group and meter texts to the hex of their messages.</summary>
internal static class EncodeCommand
{
    public static Command Create()
    {
        var output = OpenFlowCommand.OutputOption();
        var command = new Command("encode", "Read flow, group or meter texts (the arguments of ovs-ofctl add-flow, add-group, add-meter), one per line, and write the hex of their OpenFlow 1.3 messages.")
        {
            output,
        };
        command.SetAction(parse =>
        {
            var writer = new LineWriter(Console.Out, Console.Error, parse.GetValue(output) == "json");
            while (Console.In.ReadLine() is { } line)
            {
                Encode(line, writer);
            }

            return writer.Failed ? 1 : 0;
        });
        return command;
    }

    internal static void Encode(string line, LineWriter writer)
    {
        try
        {
            writer.Answer(Convert.ToHexStringLower(ModText.Parse(line).ToBytes(0)));
        }
        catch (OpenFlowException e)
        {
            writer.Error(e.Message);
        }
    }
}
