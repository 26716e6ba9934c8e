using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>One line of the node stream (docs/design/data-flow.md).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "frame", IgnoreUnrecognizedTypeDiscriminators = true,
    UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FallBackToBaseType)]
[JsonDerivedType(typeof(SnapshotBegin), "begin")]
[JsonDerivedType(typeof(SnapshotItem), "item")]
[JsonDerivedType(typeof(SnapshotEnd), "end")]
[JsonDerivedType(typeof(Delta), "delta")]
[JsonDerivedType(typeof(Alive), "alive")]
[JsonDerivedType(typeof(Resumed), "resumed")]
public record Frame;

/// <summary>A snapshot follows.</summary>
public sealed record SnapshotBegin(string Epoch, long Revision) : Frame;

/// <summary>One object of the snapshot.</summary>
public sealed record SnapshotItem(TopologyItem Item) : Frame;

/// <summary>The snapshot is whole: objects that it did not name do not exist.</summary>
public sealed record SnapshotEnd(string Epoch, long Revision) : Frame;

/// <summary>One atomic step from the revision before to <see cref="Revision"/>.</summary>
public sealed record Delta(long Revision) : Frame
{
    /// <summary>New and changed items, referents before references.</summary>
    public EquatableArray<TopologyItem> Upserts { get; init; } = [];

    /// <summary>Changes of sets, applied after the upserts.</summary>
    public EquatableArray<SetPatch> Patches { get; init; } = [];

    /// <summary>Items that no longer exist, references before referents.</summary>
    public EquatableArray<ItemRef> Deletes { get; init; } = [];
}

/// <summary>What the agent has (it sent its <see cref="SliceDigest"/>) is what this controller would send: from now on it is that revision of that epoch.</summary>
public sealed record Resumed(string Epoch, long Revision) : Frame;

/// <summary>Nothing changed; the connection lives.</summary>
public sealed record Alive(long Revision) : Frame;
