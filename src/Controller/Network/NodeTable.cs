using System.Runtime.InteropServices;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The nodes. Not thread-safe.</summary>
internal sealed class NodeTable(Interner interner, Changes changes)
{
    private readonly Dictionary<string, NodeState> _nodes = new(StringComparer.Ordinal);
    private bool _relabelled;
    private bool _readinessChanged;

    /// <summary>Every node that is known, also those that only pods name.</summary>
    public IReadOnlyCollection<NodeState> All => _nodes.Values;

    /// <summary>The node, known to Kubernetes or not.</summary>
    public NodeState Node(string name)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, name, out _);
        return slot ??= new NodeState(name);
    }

    /// <summary>The node, when something is known of it.</summary>
    public NodeState? Find(string name) => _nodes.GetValueOrDefault(name);

    /// <summary>Whether nodes became ready, or ceased to be, since the last call.</summary>
    public bool TakeReadinessChanged()
    {
        var changed = _readinessChanged;
        _readinessChanged = false;
        return changed;
    }

    /// <summary>Takes a node as it is now.</summary>
    public void Upsert(V1Node node)
    {
        var state = Node(node.Metadata.Name!);
        var labels = interner.Labels(node.Metadata.Labels);
        _relabelled |= labels != state.Labels;
        state.Labels = labels;
        SetReady(state, node.Metadata.DeletionTimestamp is null && node.Status?.Conditions?.Exists(c => c is { Type: "Ready", Status: "True" }) == true);
        Set(state, new NodeEndpoint
        {
            Id = state.Name,
            Addresses = AddressesOf(node.Status),
            PodCidrs = PodCidrsOf(node.Spec),
            Zone = node.Metadata.Labels?.GetValueOrDefault("topology.kubernetes.io/zone"),
        });
    }

    /// <summary>Removes a node; one that is not there is no error.</summary>
    public void Remove(string name)
    {
        if (_nodes.TryGetValue(name, out var state) && state.Facts is not null)
        {
            Set(state, null);
            SetReady(state, false);
        }
    }

    /// <summary>Whether labels or addresses of nodes changed since the last call.</summary>
    public bool TakeRelabelled() => (_relabelled, _relabelled = false).Item1;

    private void SetReady(NodeState node, bool ready)
    {
        _readinessChanged |= node.IsReady != ready;
        node.IsReady = ready;
    }

    private void Set(NodeState node, NodeEndpoint? facts)
    {
        if (Equals(node.Facts, facts))
        {
            return;
        }

        _relabelled = true;
        node.Facts = facts;
        changes.NoteAll(node.Endpoint, whole: true);
        changes.Note(node, node.Switch, whole: true);
        changes.Note(node, node.Router, whole: true);
    }

    private static EquatableArray<string> AddressesOf(V1NodeStatus? status) =>
        (status?.Addresses ?? []).Where(a => a.Type == "InternalIP").Select(a => Cidr.Address(a.Address)).OfType<string>().Distinct().ToEquatableArray();

    private static EquatableArray<string> PodCidrsOf(V1NodeSpec? spec)
    {
        var given = spec?.PodCIDRs is { Count: > 0 } all ? all : spec?.PodCIDR is { } one ? [one] : [];
        return given.Select(c => Cidr.TryNormalise(c, out var cidr) ? cidr : null).OfType<string>().Distinct().ToEquatableArray();
    }
}
