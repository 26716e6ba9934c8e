using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Something that a node's slice can hold. The network keeps these; the records that travel are made when somebody reads.</summary>
internal abstract class Published
{
    /// <summary>Its name.</summary>
    public abstract ItemRef Ref { get; }

    /// <summary>The record as this node sees it now, or null when the node does not have it.</summary>
    public abstract TopologyItem? For(NodeState node);

    /// <summary>What changed inside since a revision, or null when only the whole record can tell.</summary>
    public virtual SetPatch? PatchSince(long revision) => null;

    /// <summary>The digest of <see cref="For"/>; zero when the node does not have it.</summary>
    public virtual UInt128 DigestFor(NodeState node) => For(node) is { } item ? SliceDigest.Of(item) : UInt128.Zero;

    /// <inheritdoc/>
    public override string ToString() => Ref.ToString();
}
