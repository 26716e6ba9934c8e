using System.Buffers.Binary;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Which lengths each kind of message may have (ofp-msgs.h of Open vSwitch). A switch checks them before it looks inside.</summary>
internal static class MessageLengths
{
    // What follows the header of its kind: the least bytes, and the size of what may be repeated after them; 0 for nothing.
    private static readonly Dictionary<int, (int Least, int Step)> Plain = new()
    {
        [1] = (4, 1), [5] = (0, 0), [6] = (24, 0), [7] = (0, 0), [8] = (4, 0), [9] = (4, 0), [10] = (16, 1), [11] = (40, 8), [12] = (72, 0),
        [13] = (16, 1), [14] = (40, 8), [15] = (8, 8), [16] = (32, 0), [17] = (8, 0), [20] = (0, 0), [21] = (0, 0), [22] = (8, 0), [23] = (8, 8),
        [24] = (16, 0), [25] = (16, 0), [26] = (0, 0), [27] = (24, 0), [28] = (24, 0), [29] = (8, 8),
    };

    private static readonly Dictionary<int, (int Least, int Step)> Requests = new()
    {
        [0] = (0, 0), [1] = (32, 8), [2] = (32, 8), [3] = (0, 0), [4] = (8, 0), [5] = (8, 0), [6] = (8, 0), [7] = (0, 0), [8] = (0, 0),
        [9] = (8, 0), [10] = (8, 0), [11] = (0, 0), [12] = (0, 8), [13] = (0, 0),
    };

    private static readonly Dictionary<int, (int Least, int Step)> Replies = new()
    {
        [0] = (1056, 0), [2] = (24, 0), [3] = (0, 24), [4] = (0, 112), [5] = (0, 40), [6] = (0, 8), [7] = (0, 8), [8] = (40, 0),
        [9] = (0, 8), [10] = (0, 8), [11] = (16, 0), [12] = (64, 8), [13] = (0, 64),
    };

    private static readonly Dictionary<int, (int Least, int Step)> Onf = new()
    {
        [1870] = (4, 0), [1871] = (0, 0), [1872] = (0, 0), [1911] = (16, 8), [2300] = (8, 8), [2301] = (8, 1), [2350] = (8, 8),
    };

    private static readonly Dictionary<int, (int Least, int Step)> Nicira = new()
    {
        [10] = (4, 0), [11] = (4, 0), [13] = (32, 8), [14] = (40, 8), [15] = (8, 0), [16] = (4, 0), [17] = (24, 1), [18] = (0, 0), [19] = (24, 0), [20] = (8, 0), [24] = (8, 8), [25] = (0, 0),
        [26] = (16, 8), [27] = (0, 8), [28] = (0, 8), [29] = (8, 0), [30] = (0, 8), [32] = (8, 8),
    };

    /// <summary>True when a message of OpenFlow 1.3 has a length that its kind allows, or its kind is not known.</summary>
    public static bool Fit(ReadOnlySpan<byte> frame)
    {
        var type = (MessageType)frame[1];
        switch (type)
        {
            case MessageType.MultipartRequest or MessageType.MultipartReply:
                if (frame.Length < 16)
                {
                    return false;
                }

                var kind = BinaryPrimitives.ReadUInt16BigEndian(frame[8..]);
                return kind == (ushort)MultipartType.Experimenter
                    ? FitsExtension(frame, type == MessageType.MultipartRequest)
                    : Fit(type == MessageType.MultipartRequest ? Requests : Replies, kind, frame.Length - 16);
            case MessageType.Experimenter:
                if (frame.Length < 16)
                {
                    return false;
                }

                var subtype = BinaryPrimitives.ReadUInt32BigEndian(frame[12..]);
                return BinaryPrimitives.ReadUInt32BigEndian(frame[8..]) switch
                {
                    Vendors.Onf => Fit(Onf, (int)subtype, frame.Length - 16),
                    Vendors.Nicira => Fit(Nicira, (int)subtype, frame.Length - 16),
                    _ => true,
                };
            default:
                return Fit(Plain, frame[1], frame.Length - MessageCodec.HeaderLength);
        }
    }

    private static bool FitsExtension(ReadOnlySpan<byte> frame, bool isRequest)
    {
        var rows = frame.Length - 24;
        return rows >= 0 && (BinaryPrimitives.ReadUInt32BigEndian(frame[16..]), BinaryPrimitives.ReadUInt32BigEndian(frame[20..])) switch
        {
            (Vendors.Nicira, IpfixStats.BridgeSubtype) => rows == (isRequest ? 0 : IpfixStats.Length),
            (Vendors.Nicira, IpfixStats.FlowSubtype) => isRequest ? rows == 0 : rows % IpfixStats.Length == 0,
            _ => rows % 8 == 0,
        };
    }

    private static bool Fit(Dictionary<int, (int Least, int Step)> table, int kind, int body) =>
        !table.TryGetValue(kind, out var rule) || (rule.Step == 0 ? body == rule.Least : body >= rule.Least && (body - rule.Least) % rule.Step == 0);
}
