using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Entries;

/// <summary>How a group uses its buckets (OpenFlow 1.3.5 section 5.6.1).</summary>
public enum GroupType : byte
{
    /// <summary>All of them, each on its own copy.</summary>
    All,

    /// <summary>One, by hash and weight.</summary>
    Select,

    /// <summary>The only one.</summary>
    Indirect,

    /// <summary>The first that is alive.</summary>
    FastFailover,
}

/// <summary>A bucket.</summary>
/// <param name="Actions">What it does.</param>
public sealed record Bucket(ActionList Actions)
{
    /// <summary>Share of a select group's packets.</summary>
    public ushort Weight { get; init; }

    /// <summary>The bucket is alive while this port is; <see cref="Ports.Any"/> for none.</summary>
    public uint WatchPort { get; init; } = Ports.Any;

    /// <summary>The bucket is alive while this group is; <see cref="uint.MaxValue"/> for none.</summary>
    public uint WatchGroup { get; init; } = uint.MaxValue;
}

/// <summary>A group, wanted or read back.</summary>
/// <param name="Id">0 to 0xffffff00.</param>
/// <param name="Type">How buckets are used.</param>
/// <param name="Buckets">The buckets; all must fit into one 64 KiB message.</param>
public sealed record Group(uint Id, GroupType Type, ImmutableArray<Bucket> Buckets)
{
    /// <inheritdoc/>
    public bool Equals(Group? other) => other is not null && Id == other.Id && Type == other.Type && Buckets.AsSpan().SequenceEqual(other.Buckets.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Type, Buckets.Length, Buckets.IsEmpty ? 0 : Buckets[0].GetHashCode());

    /// <summary>The group as <c>ovs-ofctl dump-groups</c> prints it.</summary>
    public override string ToString() => Text.GroupText.Format(this);
}
