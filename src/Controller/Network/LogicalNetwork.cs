using Weft.Controller.Allocation;
using Weft.Controller.Network.LoadBalancers;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The cluster's logical network, computed from Kubernetes objects: objects in, topology out. Pure: no clock, no I/O.</summary>
/// <remarks>The result depends on the objects as they are now, not on the order in which they came; telling an object again changes nothing.
/// The cost of a change is that of what it concerns. Changes are one revision from one <see cref="Commit"/> to the next. Not thread-safe.</remarks>
public sealed class LogicalNetwork
{
    private readonly Changes _changes = new();
    private readonly NodeTable _nodes;
    private readonly GroupTable _groups;
    private readonly PodTable _pods;
    private readonly PolicyTable _policies;
    private readonly ServiceTable _services;
    private readonly TenantTable _tenants;
    private readonly Interner _interner = new();
    private readonly NodeSlices _slices;

    /// <summary>An empty cluster with these settings.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="time">Says how long addresses that are free again have rested; nothing else depends on it.</param>
    /// <param name="loadBalancerPools">Addresses for Services of type LoadBalancer; none: somebody else gives them.</param>
    public LogicalNetwork(ClusterSettings settings, TimeProvider? time = null, IReadOnlyList<AddressRange>? loadBalancerPools = null)
    {
        LoadBalancerPools = new PoolTable(loadBalancerPools ?? []);
        _nodes = new NodeTable(_interner, _changes);
        _groups = new GroupTable(_changes, _interner);
        _tenants = new TenantTable(_groups, _interner, _changes, settings, time ?? TimeProvider.System);
        _pods = new PodTable(_nodes, _groups, _tenants, _interner, new KeyTable(), _changes);
        _policies = new PolicyTable(_groups, _nodes, _interner, new KeyTable(), _changes);
        _services = new ServiceTable(new KeyTable(), _groups, _tenants, _nodes, LoadBalancerPools, _changes);
        _slices = new NodeSlices(_changes, _nodes, _services, settings);
        View = new TopologyView(_nodes, _pods, _groups, _policies, _services, _tenants);
        Tenants = new TenantWork(_tenants, _pods);
        _tenants.Retry = Tenants.TryAgain;
    }

    /// <summary>The whole network, for people.</summary>
    public TopologyView View { get; }

    /// <summary>Who has which address of the load balancers' pools.</summary>
    internal PoolTable LoadBalancerPools { get; }

    /// <summary>What somebody has to write to Kubernetes for tenants.</summary>
    internal TenantWork Tenants { get; }

    /// <summary>The last committed revision.</summary>
    public long Revision => _changes.Revision;

    /// <summary>Objects computed since the start: the cost of changes, for metrics and tests.</summary>
    public long Work => _changes.Work;

    /// <summary>The number of active pods.</summary>
    public int PodCount => _pods.Count;

    /// <summary>The number of policies.</summary>
    public int PolicyCount => _policies.Count;

    /// <summary>The number of Services.</summary>
    public int ServiceCount => _services.Count;

    /// <summary>The names of the nodes that exist in Kubernetes.</summary>
    public IEnumerable<string> NodeNames => _nodes.All.Where(n => n.Facts is not null).Select(n => n.Name);

    /// <summary>Takes a node as it is now.</summary>
    public void Upsert(V1Node node) => _nodes.Upsert(node);

    /// <summary>Takes a namespace as it is now.</summary>
    public void Upsert(V1Namespace ns) => Describe(_groups.Namespace(ns.Metadata.Name!), ns);

    /// <summary>Takes a Vpc as it is now.</summary>
    public void Upsert(V1Alpha1Vpc vpc) => _tenants.Upsert(vpc);

    /// <summary>Takes a Subnet as it is now.</summary>
    public void Upsert(V1Alpha1Subnet subnet) => _tenants.Upsert(subnet);

    /// <summary>Takes a VpcPeering as it is now.</summary>
    public void Upsert(V1Alpha1VpcPeering peering) => _tenants.Upsert(peering);

    /// <summary>Takes an AddressPool as it is now.</summary>
    public void Upsert(V1Alpha1AddressPool pool) => _tenants.Upsert(pool);

    /// <summary>Takes a pod as it is now.</summary>
    public void Upsert(V1Pod pod) => _pods.Upsert(pod);

    /// <summary>Takes a policy as it is now.</summary>
    /// <returns>What of it cannot be used, with what is done instead and the remedy; the rest is in force.</returns>
    /// <exception cref="InvalidObjectException">Nothing of it can be used; the one known before stays.</exception>
    public IReadOnlyList<string> Upsert(V1NetworkPolicy policy) => _policies.Upsert(policy);

    /// <inheritdoc cref="Upsert(V1NetworkPolicy)"/>
    public IReadOnlyList<string> Upsert(V1Alpha2ClusterNetworkPolicy policy) => _policies.Upsert(ClusterPolicy.Of(policy));

    /// <inheritdoc cref="Upsert(V1NetworkPolicy)"/>
    public IReadOnlyList<string> Upsert(V1Alpha1AdminNetworkPolicy policy) => _policies.Upsert(ClusterPolicy.Of(policy));

    /// <inheritdoc cref="Upsert(V1NetworkPolicy)"/>
    public IReadOnlyList<string> Upsert(V1Alpha1BaselineAdminNetworkPolicy policy) => _policies.Upsert(ClusterPolicy.Of(policy));

    /// <summary>Takes a Service as it is now.</summary>
    /// <exception cref="InvalidObjectException">It cannot be used; the one known before stays.</exception>
    public void Upsert(V1Service service) => _services.Upsert(service);

    /// <summary>Takes a part of a Service's endpoints as it is now.</summary>
    /// <exception cref="InvalidObjectException">It cannot be used; the one known before stays.</exception>
    public void Upsert(V1EndpointSlice slice) => _services.Upsert(slice);

    /// <summary>Removes a node. Removing what is not there is no error, here and below.</summary>
    public void RemoveNode(string name) => _nodes.Remove(name);

    /// <summary>Removes a namespace.</summary>
    public void RemoveNamespace(string name) => Describe(_groups.Namespace(name), null);

    /// <summary>Removes a Vpc.</summary>
    public void RemoveVpc(string name) => _tenants.RemoveVpc(name);

    /// <summary>Removes a Subnet.</summary>
    public void RemoveSubnet(string name) => _tenants.RemoveSubnet(name);

    /// <summary>Removes a VpcPeering.</summary>
    public void RemoveVpcPeering(string name) => _tenants.RemovePeering(name);

    /// <summary>Removes an AddressPool.</summary>
    public void RemoveAddressPool(string name) => _tenants.RemovePool(name);

    /// <summary>Removes a pod.</summary>
    public void RemovePod(ObjectKey key) => _pods.Remove(key);

    /// <summary>Removes a policy.</summary>
    public void RemovePolicy(ObjectKey key) => _policies.Remove(key);

    /// <summary>Removes a cluster-wide policy.</summary>
    /// <param name="kind">Its kind, for example <c>ClusterNetworkPolicy</c>.</param>
    /// <param name="name">Its name.</param>
    public void RemoveClusterPolicy(string kind, string name) => _policies.Remove(ClusterPolicy.IdOf(kind, name));

    /// <summary>Removes a Service.</summary>
    public void RemoveService(ObjectKey key) => _services.RemoveService(key);

    /// <summary>Removes a part of a Service's endpoints.</summary>
    public void RemoveEndpointSlice(ObjectKey key) => _services.RemoveSlice(key);

    /// <summary>Makes everything since the last call one revision.</summary>
    /// <returns>Whom it concerns.</returns>
    public CommittedChanges Commit()
    {
        _tenants.Settle();
        _pods.PlaceStale();
        _services.MarkTenants();
        _policies.MarkTenants(_tenants.Rebound);
        _tenants.Rebound.Clear();
        _policies.CompileStale();
        if (_nodes.TakeReadinessChanged())
        {
            _services.MarkAnnounced();
        }

        _services.ComputeStale();
        return _changes.Commit();
    }

    /// <summary>The policies that have to be told again, because their namespace moved to another network or has other annotations.</summary>
    public IReadOnlyList<ObjectKey> TakePoliciesToTellAgain()
    {
        if (_policies.ToTellAgain.Count == 0)
        {
            return [];
        }

        ObjectKey[] keys = [.. _policies.ToTellAgain];
        _policies.ToTellAgain.Clear();
        return keys;
    }

    /// <summary>A policy could not be told again yet.</summary>
    public void TellPolicyAgain(ObjectKey key) => _policies.ToTellAgain.Add(key);

    /// <summary>The uid of an active pod, or null.</summary>
    public string? UidOf(ObjectKey pod) => _pods.UidOf(pod);

    /// <summary>Whether Kubernetes knows the node.</summary>
    public bool HasNode(string node) => _nodes.Find(node)?.Facts is not null;

    /// <summary>Everything that a node has at the current revision, referents before references. From now on its changes are remembered.</summary>
    /// <returns>Empty when Kubernetes does not know the node.</returns>
    public IReadOnlyList<TopologyItem> Snapshot(string node) => _slices.Snapshot(node);

    /// <summary>The <see cref="SliceDigest"/> of <see cref="Snapshot"/>. From now on the node's changes are remembered.</summary>
    /// <returns>Zero when Kubernetes does not know the node.</returns>
    public UInt128 Digest(string node) => _slices.Digest(node);

    /// <summary>The step from a revision that a node has to the current one.</summary>
    /// <returns>Null when it is not remembered: the node must take a snapshot. A delta without content when nothing changed.</returns>
    public Delta? Since(string node, long revision) => _slices.Since(node, revision);

    private void Describe(NamespaceState state, V1Namespace? ns)
    {
        _groups.Relabel(state, _interner.Labels(ns?.Metadata.Labels));
        state.Exists = ns is not null;
        if (DenyOptions.Of(ns?.Metadata) is var deny && deny != state.Deny)
        {
            state.Deny = deny;
            _policies.MarkOf(state);
        }

        _tenants.NamespaceChanged();
    }
}
