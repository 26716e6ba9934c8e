using System.Buffers.Binary;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Text;

/// <summary>Prints messages as <c>ovs-ofctl ofp-print</c> does.</summary>
public static class MessageText
{
    /// <summary>One message, given as bytes with its header. Never throws for damaged bytes: says what is wrong, as ovs-ofctl does.</summary>
    public static string Format(ReadOnlySpan<byte> frame, NameMap? names = null)
    {
        var text = new FlowTextWriter(names) { IsStrict = true };
        Write(text, frame, 0);
        return text.ToString();
    }

    internal static void Write(FlowTextWriter text, ReadOnlySpan<byte> frame, int depth)
    {
        if (frame.Length < MessageCodec.HeaderLength)
        {
            text.Put(frame.IsEmpty ? "OpenFlow message is empty\n" : $"OpenFlow packet too short (only {frame.Length} bytes):\n");
            text.HexDump(frame);
            return;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(frame[2..]);
        if (length != frame.Length)
        {
            if (length > frame.Length)
            {
                if (MessagePrinter.KindRefusal(frame) is null)
                {
                    MessagePrinter.Header(text, frame);
                    text.Put("\n");
                }

                text.Put($"(***truncated to {frame.Length} bytes from {length}***)\n");
            }
            else
            {
                text.Put($"(***only uses {length} bytes out of {frame.Length}***)\n");
            }

            text.HexDump(frame);
            return;
        }

        MessagePrinter.Print(text, frame, depth);
        if (text.Last != '\n')
        {
            text.Put("\n");
        }
    }
}
