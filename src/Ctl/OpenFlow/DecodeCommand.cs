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
        var pcap = new Option<FileInfo?>("--pcap") { Description = "A file to read instead of standard input." };
        var ports = new Option<int[]>("--port") { Description = "TCP ports that carry OpenFlow in a capture, besides connections that begin with a hello.", DefaultValueFactory = _ => [6653, 6633] };
        var command = new Command("decode", "Read messages as hex, one per line (blanks are ignored), or a pcap file of a controller connection, and write what they say.")
        {
            output, pcap, ports,
        };
        command.SetAction(parse =>
        {
            var writer = new LineWriter(Console.Out, Console.Error, parse.GetValue(output) == "json");
            using var stream = parse.GetValue(pcap) is { } file ? file.OpenRead() : Console.OpenStandardInput();
            return Decode(stream, parse.GetValue(ports)!, writer);
        });
        return command;
    }

    /// <summary>A capture, told by its first bytes, or lines of hex; the exit code.</summary>
    internal static int Decode(Stream input, int[] ports, LineWriter writer)
    {
        var head = new byte[4];
        var got = input.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        using var whole = new ResumedStream(head.AsMemory(0, got), input);
        if (PcapDecoder.IsCapture(head))
        {
            return PcapDecoder.Decode(whole, ports, writer);
        }

        using var lines = new StreamReader(whole);
        while (lines.ReadLine() is { } line)
        {
            Decode(line, writer);
        }

        return writer.Failed ? 1 : 0;
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
