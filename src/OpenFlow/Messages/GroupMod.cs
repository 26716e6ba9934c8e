using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What a group mod does.</summary>
public enum GroupCommand : ushort
{
    /// <summary>Adds; an error when the group exists.</summary>
    Add,

    /// <summary>Replaces; an error when the group does not exist.</summary>
    Modify,

    /// <summary>Deletes; no error when the group does not exist. Flows that use it go too.</summary>
    Delete,

    /// <summary>Adds buckets to a group (OpenFlow 1.5; Open vSwitch prints it of any version, and refuses it in 1.3).</summary>
    InsertBucket = 3,

    /// <summary>Removes buckets of a group (OpenFlow 1.5; Open vSwitch prints it of any version, and refuses it in 1.3).</summary>
    RemoveBucket = 5,

    /// <summary>Adds or replaces (Open vSwitch).</summary>
    AddOrModify = 0x8000,
}

/// <summary>Adds, modifies or deletes a group (OpenFlow 1.3.5 section 7.3.4.2).</summary>
public sealed record GroupMod(GroupCommand Command, Group Group) : OpenFlowMessage
{
    /// <summary>Every group, in a deletion.</summary>
    public const uint AllGroups = 0xfffffffc;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.GroupMod;

    /// <summary>Deletes a group.</summary>
    public static GroupMod Delete(uint id) => new(GroupCommand.Delete, new Group(id, GroupType.All, []));

    internal override void EncodeBody(WireWriter w)
    {
        w.U16((ushort)Command);
        w.U8((byte)Group.Type);
        w.U8(0);
        w.U32(Group.Id);
        GroupCodec.WriteBuckets(w, Group.Buckets);
    }

    internal static GroupMod Decode(ref WireReader r)
    {
        var command = r.U16();
        var type = r.U8();
        r.Skip(1);
        var id = r.U32();
        return command is <= 3 or 5 or 0x8000 && type <= 3
            ? new GroupMod((GroupCommand)command, new Group(id, (GroupType)type, GroupCodec.ReadBuckets(r.Rest)))
            : throw new OpenFlowFormatException($"group mod: unknown command {command} or type {type}", "OFPGMFC_BAD_COMMAND");
    }
}

/// <summary>Buckets on the wire (ofp_bucket): length, weight, watch port, watch group, actions.</summary>
internal static class GroupCodec
{
    public static void WriteBuckets(WireWriter w, ImmutableArray<Bucket> buckets)
    {
        foreach (var bucket in buckets)
        {
            var start = w.Length;
            w.U16(0);
            w.U16(bucket.Weight);
            w.U32(bucket.WatchPort);
            w.U32(bucket.WatchGroup);
            w.U32(0);
            w.Bytes(bucket.Actions.Encoded);
            w.PatchU16(start, w.Length - start);
        }
    }

    public static ImmutableArray<Bucket> ReadBuckets(ReadOnlySpan<byte> data)
    {
        var r = new WireReader(data);
        var buckets = ImmutableArray.CreateBuilder<Bucket>();
        while (r.Remaining > 0)
        {
            var length = r.U16();
            if (length < 16 || length % 8 != 0)
            {
                throw new OpenFlowFormatException($"a bucket of length {length}", "OFPGMFC_BAD_BUCKET");
            }

            var body = new WireReader(r.Take(length - 2));
            var (weight, port, group) = (body.U16(), body.U32(), body.U32());
            body.Skip(4);
            buckets.Add(new Bucket(ActionList.Read(body.Rest)) { Weight = weight, WatchPort = port, WatchGroup = group });
        }

        return buckets.ToImmutable();
    }
}
