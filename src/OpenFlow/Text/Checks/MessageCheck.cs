using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;
using static Weft.OpenFlow.Text.Checks.ActionBytes;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>What Open vSwitch refuses in a message, in the order in which it looks. Rows of multipart replies are checked one by one: <see cref="RowCheck"/>.</summary>
/// <remarks>The decoder takes more, as a switch other than Open vSwitch may know more; ofp-print does not. Lengths were checked before.</remarks>
internal static class MessageCheck
{
    private const string BadLength = "OFPBRC_BAD_LEN";
    private const int KnownFlowFlags = 0x1f;
    private const int DeleteAnything = 3;

    /// <exception cref="OpenFlowFormatException">Open vSwitch answers with the error that the exception names.</exception>
    public static void Check(ReadOnlySpan<byte> frame)
    {
        var r = new WireReader(frame[MessageCodec.HeaderLength..]);
        switch ((MessageType)frame[1])
        {
            case MessageType.Error:
                // Also when it is cut short before it says whose error it is.
                Require(frame.Length >= 16 || frame[8] != 0xff || frame[9] != 0xff, BadLength);
                var error = ErrorMessage.Decode(ref r);
                Require(ErrorNames.Find(error.ErrorType, error.Code, error.Experimenter) is not null, BadLength);
                break;
            case MessageType.FlowMod: FlowMod(ref r); break;
            case MessageType.FlowRemoved:
                r.Skip(40);
                MatchCheck.Read(ref r, strict: true);
                break;
            case MessageType.PacketIn:
                r.Skip(16);
                MatchCheck.Read(ref r, strict: false);
                Require(r.Remaining >= 2, BadLength);
                break;
            case MessageType.PacketOut: PacketOut(ref r); break;
            case MessageType.GroupMod: GroupMod(ref r); break;
            case MessageType.MeterMod: MeterMod(ref r); break;
            case MessageType.PortMod: Port(r.U32()); break;
            case MessageType.PortStatus:
                Require(r.U8() <= 2, "NXBRC_BAD_REASON");
                r.Skip(7);
                Port(r.U32());
                break;
            case MessageType.SetConfig: Require((r.U16() & ~3) == 0, "OFPSCFC_BAD_FLAGS"); break;
            case MessageType.RoleRequest or MessageType.RoleReply: Require(r.U32() <= 3, "OFPRRFC_BAD_ROLE"); break;
            case MessageType.QueueGetConfigRequest:
                var port = r.U32();
                Port(port);
                Require(port is < Ports.Max or Ports.Any, "OFPQOFC_BAD_PORT");
                break;
            case MessageType.MultipartRequest: Request(frame, ref r); break;
            case MessageType.Experimenter: Extension(frame, ref r); break;
        }
    }

    /// <summary>A port below 0xff00, or one of the reserved numbers.</summary>
    public static void Port(uint port, string error = "OFPBAC_BAD_OUT_PORT") => Require(port is < Ports.Max or >= 0xffffff00, error);

    /// <summary>Flags of a flow.</summary>
    public static void Flags(int flags) => Require((flags & ~KnownFlowFlags) == 0, "OFPFMFC_BAD_FLAGS");

    /// <summary>The buckets of a group; how many there are.</summary>
    public static List<(int Weight, bool IsWatching)> Buckets(ReadOnlySpan<byte> data)
    {
        var buckets = new List<(int, bool)>();
        while (!data.IsEmpty)
        {
            Require(data.Length >= 16, "OFPGMFC_BAD_BUCKET");
            var length = BinaryPrimitives.ReadUInt16BigEndian(data);
            Require(length >= 16 && length <= data.Length, "OFPGMFC_BAD_BUCKET");
            Require(length % 8 == 0, BadLength);
            CheckNested(data[16..length], false);
            var (port, group) = (BinaryPrimitives.ReadUInt32BigEndian(data[4..]), BinaryPrimitives.ReadUInt32BigEndian(data[8..]));
            Port(port, "OFPGMFC_BAD_WATCH");
            buckets.Add((BinaryPrimitives.ReadUInt16BigEndian(data[2..]), port != Ports.Any || group != uint.MaxValue));
            data = data[length..];
        }

        return buckets;
    }

    /// <summary>The bands of a meter.</summary>
    public static void Bands(ReadOnlySpan<byte> data)
    {
        const int Band = 16;
        for (; data.Length >= Band; data = data[Band..])
        {
            Require(BinaryPrimitives.ReadUInt16BigEndian(data[2..]) == Band, BadLength);
            Require(BinaryPrimitives.ReadUInt16BigEndian(data) is 1 or 2, "OFPMMFC_BAD_BAND");
        }

        Require(data.IsEmpty, BadLength);
    }

    private static void FlowMod(ref WireReader r)
    {
        r.Skip(16);
        var (table, command) = (r.U8(), r.U8());
        r.Skip(10);
        var outPort = r.U32();
        r.Skip(4);
        var flags = r.U16();
        r.Skip(2);
        var shape = MatchCheck.Read(ref r, strict: true);
        Require(table != 255 || command is DeleteAnything or DeleteAnything + 1, "OFPFMFC_BAD_TABLE_ID");
        Port(outPort);
        Body(shape, table, command, flags, r.Rest);
    }

    private static void FlowModOfNicira(ref WireReader r)
    {
        r.Skip(8);
        var (table, command) = (r.U8(), r.U8());
        r.Skip(12);
        int flags = r.U16();
        int length = r.U16();
        r.Skip(6);
        var shape = MatchCheck.Entries(MatchCheck.Take(ref r, length), strict: true, cookies: true);
        Require(command != 0 || shape.CookieMask == 0, "NXBRC_NXM_INVALID");
        Body(shape, table, command, flags, r.Rest);
    }

    private static void Body(FlowShape shape, byte table, byte command, int flags, ReadOnlySpan<byte> rest)
    {
        Require(!(shape.HasCtIPv4 && shape.EthType != 0x0800) && !(shape.HasCtIPv6 && shape.EthType != 0x86dd), "OFPBAC_MATCH_INCONSISTENT");
        Require(command <= DeleteAnything + 1, "OFPFMFC_BAD_COMMAND");
        var instructions = InstructionBytes.Decode(rest);
        Flags(flags);
        instructions.CheckAgainst(shape, table);
    }

    private static void PacketOut(ref WireReader r)
    {
        r.Skip(4);
        var port = r.U32();
        var length = r.U16();
        r.Skip(6);
        Port(port);
        Require(length % 8 == 0 && length <= r.Remaining, BadLength);
        CheckNested(r.Take(length), false);
        Require(port is < Ports.Max or Ports.Local or Ports.Any or Ports.Controller, "OFPBRC_BAD_PORT");
    }

    private static void GroupMod(ref WireReader r)
    {
        const int Delete = 2;
        const int Indirect = 2;
        const int Select = 1;
        const int FastFailover = 3;
        var (command, type) = (r.U16(), r.U8());
        r.Skip(5);
        var buckets = Buckets(r.Rest);
        Require(command != Delete || buckets.Count == 0, "OFPGMFC_INVALID_GROUP");
        Require(type != Indirect || command == Delete || buckets.Count == 1, "OFPGMFC_INVALID_GROUP");
        Require(type <= FastFailover, "OFPGMFC_BAD_TYPE");
        Require(command is <= 3 or 5 or 0x8000, "OFPGMFC_BAD_COMMAND");
        Require(command != 5 || buckets.Count == 0, "OFPGMFC_BAD_BUCKET");
        foreach (var (weight, watching) in buckets)
        {
            Require(weight == 0 || type == Select || command == 3, "OFPGMFC_INVALID_GROUP");
            Require(type is Select or FastFailover || !watching, "OFPGMFC_WATCH_UNSUPPORTED");
            Require(type != FastFailover || watching, "OFPGMFC_INVALID_GROUP");
        }
    }

    private static void MeterMod(ref WireReader r)
    {
        var (command, flags) = (r.U16(), r.U16());
        r.Skip(4);
        Require(command <= 2, "OFPMMFC_BAD_COMMAND");
        if (command < 2)
        {
            Require((flags & 3) != 3, "OFPMMFC_BAD_FLAGS");
            Bands(r.Rest);
        }
    }

    private static void Request(ReadOnlySpan<byte> frame, ref WireReader r)
    {
        var kind = (MultipartType)r.U16();
        r.Skip(6);
        switch (kind)
        {
            case MultipartType.Flow or MultipartType.Aggregate:
                r.Skip(4);
                Port(r.U32());
                r.Skip(24);
                MatchCheck.Read(ref r, strict: true);
                break;
            case MultipartType.PortStats or MultipartType.Queue: Port(r.U32()); break;
        }
    }

    private static void Extension(ReadOnlySpan<byte> frame, ref WireReader r)
    {
        switch (r.U32(), r.U32())
        {
            case (Vendors.Onf, BundleControl.AddSubtype): BundleAdd(frame, ref r); break;
            case (Vendors.Onf, RequestForward.Subtype): Forward(frame, r.Rest); break;
            case (Vendors.Onf, RoleStatus.Subtype): Require(r.U32() <= 3, "OFPRRFC_BAD_ROLE"); break;
            case (Vendors.Nicira, 10 or 11): Require(r.U32() <= 2, "OFPRRFC_BAD_ROLE"); break;
            case (Vendors.Nicira, 16): Require(r.U32() <= 2, "OFPBRC_EPERM"); break;
            case (Vendors.Nicira, 24):
                Require(r.U16() <= 2, "NXTTMFC_BAD_COMMAND");
                r.Skip(6);
                Mappings(ref r, 64);
                break;
            case (Vendors.Nicira, 26):
                r.Skip(4);
                var fields = r.U16();
                r.Skip(10);
                Mappings(ref r, fields);
                break;
            case (Vendors.Nicira, AsyncSettings.Subtype): AsyncConfig(ref r); break;
            case (Vendors.Nicira, NiciraFlowMod.Subtype): FlowModOfNicira(ref r); break;
            case (Vendors.Nicira, FlowRemoved.NiciraSubtype):
                r.Skip(22);
                int removed = r.U16();
                r.Skip(16);
                MatchCheck.Entries(MatchCheck.Take(ref r, removed), strict: true);
                Require(r.Remaining == 0, BadLength);
                break;
            case (Vendors.Nicira, PacketIn.NiciraSubtype):
                r.Skip(16);
                int metadata = r.U16();
                r.Skip(6);
                MatchCheck.Entries(MatchCheck.Take(ref r, metadata), strict: false);
                Require(r.Remaining >= 2, BadLength);
                break;
            case (Vendors.Nicira, 28 or 30): PacketInCheck.Check(ref r); break;
            case (Vendors.Nicira, 32): ConntrackCheck.Check(ref r); break;
        }
    }

    private static void AsyncConfig(ref WireReader r)
    {
        const int Experimenter = 0xfffe;
        const string Unsupported = "OFPACFC_UNSUPPORTED";
        ReadOnlySpan<uint> reasons = [7, 7, 0x3f, 7, 0x18, 3];
        while (r.Remaining > 0)
        {
            var (type, value) = Properties.Pull(ref r, Experimenter);
            Require(type != -1, "OFPBPC_BAD_EXP_TYPE");
            Require(type / 2 < reasons.Length, Unsupported);
            Require(((uint)PacketInCheck.Number(value, 4) & ~reasons[type / 2]) == 0, "OFPACFC_INVALID");
        }
    }

    private static void BundleAdd(ReadOnlySpan<byte> frame, ref WireReader r)
    {
        r.Skip(8);
        var inner = r.Rest;
        Require(inner.Length >= MessageCodec.HeaderLength, "OFPBFC_MSG_BAD_LEN");
        Require(inner[0] == frame[0], "OFPBFC_BAD_VERSION");
        Inside(inner);
        Require(inner[4..8].SequenceEqual(frame[4..8]), "OFPBFC_MSG_BAD_XID");
        inner = inner[..BinaryPrimitives.ReadUInt16BigEndian(inner[2..])];
        Require(
            (MessageType)inner[1] is MessageType.FlowMod or MessageType.GroupMod or MessageType.PortMod or MessageType.PacketOut && MessageLengths.Fit(inner), "OFPBFC_MSG_UNSUP");
    }

    private static void Forward(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> inner)
    {
        Require(inner.Length >= MessageCodec.HeaderLength, "OFPBFC_MSG_BAD_LEN");
        Inside(inner);
        Require(inner[0] == frame[0], "OFPBRC_BAD_VERSION");
        inner = inner[..BinaryPrimitives.ReadUInt16BigEndian(inner[2..])];
        if (MessagePrinter.Refusal(inner) is { } error)
        {
            throw new OpenFlowFormatException("the request that is forwarded", error);
        }

        Require((MessageType)inner[1] is MessageType.GroupMod or MessageType.MeterMod, "OFPBFC_MSG_UNSUP");
        Check(inner);
    }

    private static void Inside(ReadOnlySpan<byte> inner) =>
        Require(BinaryPrimitives.ReadUInt16BigEndian(inner[2..]) is var length && length >= MessageCodec.HeaderLength && length <= inner.Length, "OFPBFC_MSG_BAD_LEN");

    private static void Mappings(ref WireReader r, int fields)
    {
        const int MaxOption = 124;
        while (r.Remaining > 0)
        {
            r.Skip(3);
            var length = r.U8();
            Require(length % 4 == 0 && length <= MaxOption, "NXTTMFC_BAD_OPT_LEN");
            Require(r.U16() < fields, "NXTTMFC_BAD_FIELD_IDX");
            r.Skip(2);
        }
    }
}
