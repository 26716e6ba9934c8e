using System.CommandLine;
using Weft.OpenFlow;
using Weft.OpenFlow.Text;

namespace Weft.Ctl.OpenFlow;

/// <summary><c>weftctl openflow decode</c>: messages to text, as ovs-ofctl ofp-print prints them.</summary>
internal static class DecodeCommand
{
    public static Command Create()
    {
        var output = OpenFlowCommand.OutputOption();
        var pcap = new Option<FileInfo?>("--pcap") { Description = "A capture of a controller connection instead of hex on standard input." };
        var ports = new Option<int[]>("--port") { Description = "TCP ports that carry OpenFlow in the capture.", DefaultValueFactory = _ => [6653, 6633] };
        var command = new Command("decode", "Read messages as hex, one per line (blanks and offsets as of hexdump are ignored), and write what they say.")
        {
            output, pcap, ports,
        };
        command.SetAction(parse =>
        {
            var writer = new LineWriter(Console.Out, Console.Error, parse.GetValue(output) == "json");
            if (parse.GetValue(pcap) is { } file)
            {
                using var stream = file.OpenRead();
                return PcapDecoder.Decode(stream, parse.GetValue(ports)!, writer);
            }

            while (Console.In.ReadLine() is { } line)
            {
                Decode(line, writer);
            }

            return writer.Failed ? 1 : 0;
        });
        return command;
    }

    internal static void Decode(string line, LineWriter writer)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromHexString(string.Concat(line.Where(c => !char.IsWhiteSpace(c))));
        }
        catch (FormatException)
        {
            writer.Error("not hexadecimal: two digits per byte are needed");
            return;
        }

        Print(bytes, writer);
    }

    internal static void Print(ReadOnlySpan<byte> bytes, LineWriter writer)
    {
        try
        {
            writer.Answer(MessageText.Format(bytes).TrimEnd('\n'));
        }
        catch (OpenFlowException e)
        {
            writer.Error(e.Message);
        }
    }
}
