using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>A policy and what it is compiled to.</summary>
internal sealed class PolicyState(string id, int key) : Published
{
    public string Id => id;

    public int Key => key;

    private UInt128? _digest;

    /// <summary>What it is compiled to; null before the first time and once it is gone.</summary>
    public CompiledPolicy? Compiled
    {
        get;
        set => (field, _digest) = (value, null);
    }

    /// <summary>Compiles it again; kept only when pods or nodes decide what it compiles to (named ports, node peers).</summary>
    public Func<CompiledPolicy>? Again { get; set; }

    /// <summary>The name of the NetworkPolicy; null for cluster-wide ones.</summary>
    public ObjectKey? Namespaced { get; init; }

    public override ItemRef Ref => new(ItemKind.Policy, id);

    public override TopologyItem? For(NodeState node) =>
        Compiled is { } compiled && compiled.Target.LocalPods.Contains(node) ? compiled.Item : null;

    /// <summary>Kept: many nodes have the same policy.</summary>
    public override UInt128 DigestFor(NodeState node) => For(node) is { } item ? _digest ??= SliceDigest.Of(item) : UInt128.Zero;
}

/// <summary>The result of compiling one policy.</summary>
/// <param name="Item">The record for nodes.</param>
/// <param name="Target">The pods that it applies to.</param>
/// <param name="Uses">The sets that the record names, each once.</param>
/// <param name="Held">Every group that was acquired, once per acquisition.</param>
/// <param name="Watched">Groups whose named ports or networks decide about the rules.</param>
/// <param name="Problems">What of it cannot be used, each with its field, what is done instead, and the remedy.</param>
internal sealed record CompiledPolicy(Policy Item, TargetSet Target, MemberSet[] Uses, PodGroup[] Held, PodGroup[] Watched, string[] Problems);
