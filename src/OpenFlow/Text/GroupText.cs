using System.Collections.Immutable;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text;

/// <summary>Groups in the syntax of ovs-ofctl(8) "Group Syntax", both ways.</summary>
public static class GroupText
{
    private static readonly string[] TypeNames = ["all", "select", "indirect", "ff"];

    /// <summary>The group as <c>ovs-ofctl dump-groups</c> prints it.</summary>
    public static string Format(Group group, NameMap? names = null)
    {
        var text = new FlowTextWriter(names);
        Write(text, group);
        return text.ToString();
    }

    /// <summary>Reads "group_id=1,type=select,bucket=weight:10,actions=...".</summary>
    /// <exception cref="OpenFlowTextException">The text is not a group.</exception>
    public static Group Parse(string text, NameMap? names = null)
    {
        uint? id = null;
        GroupType? type = null;
        var first = text.IndexOf("bucket", StringComparison.Ordinal);
        foreach (var (key, value) in KeyValue.Cut(first < 0 ? text : text[..first]))
        {
            switch (key)
            {
                case "group_id": id = NumberText.U32(value, key); break;
                case "type":
                    var index = value == "fast_failover" ? 3 : Array.IndexOf(TypeNames, value);
                    type = index >= 0 ? (GroupType)index : throw new OpenFlowTextException($"invalid group type {value}; all, select, indirect and ff are known");
                    break;
                default: throw new OpenFlowTextException($"group: unknown keyword {key}");
            }
        }

        if (id is null || type is null)
        {
            throw new OpenFlowTextException("a group needs group_id=... and type=...");
        }

        const uint MaxGroup = 0xffffff00;
        if (id > MaxGroup)
        {
            throw new OpenFlowTextException($"group_id={id}: groups are 0 to {MaxGroup}");
        }

        var buckets = ImmutableArray.CreateBuilder<Bucket>();
        for (var at = first; at >= 0;)
        {
            var next = text.IndexOf("bucket=", at + 1, StringComparison.Ordinal);
            var part = (next < 0 ? text[at..] : text[at..next]).Trim(' ', ',');
            buckets.Add(ParseBucket(part["bucket=".Length..], type.Value, names));
            at = next;
        }

        return new Group(id.Value, type.Value, buckets.ToImmutable());
    }

    internal static void Write(FlowTextWriter text, Group group, bool withType = true)
    {
        text.Put($"group_id={group.Id}");
        text.Optional(withType, $",type={((int)group.Type < TypeNames.Length ? TypeNames[(int)group.Type] : "unknown")}");
        foreach (var bucket in group.Buckets)
        {
            text.Put(",bucket=");
            WriteBucket(text, bucket, group.Type);
        }
    }

    private static void WriteBucket(FlowTextWriter text, Bucket bucket, GroupType type)
    {
        text.Optional(bucket.Weight != (type == GroupType.Select ? 1 : 0), $"weight:{bucket.Weight},");
        if (bucket.WatchPort != Ports.Any)
        {
            text.Put("watch_port:");
            text.Port(bucket.WatchPort);
            text.Put(",");
        }

        text.Optional(bucket.WatchGroup != uint.MaxValue, $"watch_group:{bucket.WatchGroup},");
        text.Put("actions=");
        text.Actions(bucket.Actions, "drop");
    }

    private static Bucket ParseBucket(string text, GroupType type, NameMap? names)
    {
        var parser = new FlowTextParser(names);
        var at = text.IndexOf("actions=", StringComparison.Ordinal);
        var bucket = new Bucket(default) { Weight = type == GroupType.Select ? (ushort)1 : (ushort)0 };
        var actions = at < 0 ? "" : text[(at + "actions=".Length)..];
        foreach (var (key, value) in KeyValue.Cut(at < 0 ? text : text[..at]))
        {
            switch (key)
            {
                case "weight": bucket = bucket with { Weight = NumberText.U16(value, key) }; break;
                case "watch_port": bucket = bucket with { WatchPort = parser.Port(value) }; break;
                case "watch_group": bucket = bucket with { WatchGroup = NumberText.U32(value, key) }; break;
                case "bucket_id": break;
                default: actions += (actions.Length > 0 ? "," : "") + key + (value.Length > 0 ? ":" + value : ""); break;
            }
        }

        return bucket with { Actions = parser.Actions(actions) };
    }
}
