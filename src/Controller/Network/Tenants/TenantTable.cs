using System.Runtime.InteropServices;
using Weft.Controller.Allocation;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The tenants' Vpcs and Subnets, the namespaces bound to them, and the pods in them. Not thread-safe.</summary>
/// <remarks>Objects are few and are settled together, once per batch; pods are many and are placed one by one.</remarks>
internal sealed class TenantTable(GroupTable groups, Interner interner, Changes changes, ClusterSettings settings, TimeProvider time)
{
    private readonly Dictionary<string, VpcState> _vpcs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SubnetState> _subnets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, V1Alpha1VpcPeering> _peerings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, V1Alpha1AddressPool> _pools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PodState>> _byAlias = new(StringComparer.Ordinal);
    private readonly HashSet<PodState> _unclaimed = [];
    private readonly HashSet<NamespaceState> _bound = [];
    private bool _stale;

    /// <summary>Every Vpc that is known.</summary>
    public IReadOnlyCollection<VpcState> Vpcs => _vpcs.Values;

    /// <summary>Every Subnet that is known.</summary>
    public IReadOnlyCollection<SubnetState> Subnets => _subnets.Values;

    public IReadOnlyDictionary<string, V1Alpha1VpcPeering> Peerings => _peerings;

    public IReadOnlyDictionary<string, V1Alpha1AddressPool> Pools => _pools;

    /// <summary>What became of each peering, by name; null: packets pass.</summary>
    public Dictionary<string, TenantProblem?> PeeringProblems { get; private set; } = new(StringComparer.Ordinal);

    /// <summary>Pods that have to be placed again; taken by <see cref="PodTable"/>.</summary>
    public HashSet<PodState> Unplaced { get; } = [];

    /// <summary>Namespaces whose network changed since the last batch.</summary>
    public HashSet<NamespaceState> Rebound { get; } = [];

    /// <summary>Addresses as Kubernetes knows them that changed hands since the last batch.</summary>
    public HashSet<string> ChangedAliases { get; } = [];

    /// <summary>Pods of bound namespaces that have no addresses yet, or lost them to another pod before they ran.</summary>
    public IEnumerable<PodState> Held => _unclaimed.Where(p => p.Namespace.Binding is not null);

    /// <summary>Who has which address.</summary>
    public AddressTable Addresses { get; } = new();

    /// <summary>The namespaces that are bound to a Subnet.</summary>
    public IReadOnlyCollection<NamespaceState> Bound => _bound;

    /// <summary>Told when objects changed on which waiting pods may depend.</summary>
    public Action? Retry { get; set; }

    /// <summary>Rises with everything that a status may depend on.</summary>
    public long Version { get; private set; }

    public void Upsert(V1Alpha1Vpc vpc) => Set(Vpc(vpc.Metadata.Name!), vpc);

    public void Upsert(V1Alpha1Subnet subnet)
    {
        Subnet(subnet.Metadata.Name!).Source = subnet;
        Mark();
    }

    public void Upsert(V1Alpha1VpcPeering peering)
    {
        _peerings[peering.Metadata.Name!] = peering;
        Mark();
    }

    public void Upsert(V1Alpha1AddressPool pool)
    {
        _pools[pool.Metadata.Name!] = pool;
        Mark();
    }

    public void RemoveVpc(string name) => Set(Vpc(name), null);

    public void RemoveSubnet(string name)
    {
        Subnet(name).Source = null;
        Mark();
    }

    public void RemovePeering(string name)
    {
        if (_peerings.Remove(name))
        {
            Mark();
        }
    }

    public void RemovePool(string name)
    {
        if (_pools.Remove(name))
        {
            Mark();
        }
    }

    /// <summary>Labels of a namespace may have changed.</summary>
    public void NamespaceChanged() => _stale |= _subnets.Count > 0;

    /// <summary>A pod came, or its claim or its addresses in Kubernetes are other ones now.</summary>
    public void Track(PodState pod)
    {
        Version++;
        if (pod.Claim is not { } claim)
        {
            Addresses.Seen(pod.Owner, null, time.GetUtcNow());
            if (pod.StatusAddresses.Length == 0)
            {
                _unclaimed.Add(pod);
            }

            return;
        }

        Addresses.Seen(pod.Owner, claim, time.GetUtcNow());
        var subnet = Subnet(claim.Subnet);
        subnet.Pods.Add(pod);
        foreach (var place in PlacesOf(claim))
        {
            ref var owners = ref CollectionsMarshal.GetValueRefOrAddDefault(subnet.Owners, place, out _);
            owners ??= new List<PodState>(1);
            owners.Add(pod);
            if (owners.Count > 1)
            {
                Unplaced.UnionWith(owners);
            }
        }

        foreach (var alias in pod.StatusAddresses)
        {
            (_byAlias.TryGetValue(alias, out var pods) ? pods : _byAlias[alias] = new List<PodState>(1)).Add(pod);
            ChangedAliases.Add(alias);
        }
    }

    /// <summary>A pod is gone for good.</summary>
    public void Forget(PodState pod)
    {
        Untrack(pod);
        Addresses.Gone(pod.Uid, time.GetUtcNow());
        foreach (var other in pod.Claim is null ? [] : Claimants(pod.Claim))
        {
            Unplaced.Add(other);
        }
    }

    /// <summary>Takes back <see cref="Track"/>; call it before the pod's claim or addresses change.</summary>
    public void Untrack(PodState pod)
    {
        Version++;
        _unclaimed.Remove(pod);
        Arrived(pod);
        if (pod.Claim is not { } claim)
        {
            return;
        }

        var subnet = Subnet(claim.Subnet);
        subnet.Pods.Remove(pod);
        foreach (var place in PlacesOf(claim))
        {
            if (subnet.Owners.TryGetValue(place, out var owners) && owners.Remove(pod))
            {
                Unplaced.UnionWith(owners);
                if (owners.Count == 0)
                {
                    subnet.Owners.Remove(place);
                }
            }
        }

        Unplaced.Remove(pod);
        foreach (var alias in pod.StatusAddresses)
        {
            if (_byAlias.TryGetValue(alias, out var pods) && pods.Remove(pod) && pods.Count == 0)
            {
                _byAlias.Remove(alias);
            }

            ChangedAliases.Add(alias);
        }
    }

    /// <summary>Addresses are on their way to a pod.</summary>
    public void Await(PodState pod, SubnetState subnet, AddressClaim claim)
    {
        Arrived(pod);
        pod.Pending = claim;
        subnet.Vpc!.Coming.Add(pod);
        foreach (var place in PlacesOf(claim))
        {
            subnet.Coming[place] = pod;
        }
    }

    private void Arrived(PodState pod)
    {
        if (pod.Pending is not { } pending)
        {
            return;
        }

        var subnet = Subnet(pending.Subnet);
        subnet.Vpc?.Coming.Remove(pod);
        foreach (var place in PlacesOf(pending).Where(p => subnet.Coming.GetValueOrDefault(p) == pod))
        {
            subnet.Coming.Remove(place);
        }

        pod.Pending = null;
    }

    /// <summary>Says why a Vpc has no key.</summary>
    public void RefuseKey(string name, string? reason)
    {
        if (_vpcs.TryGetValue(name, out var vpc) && vpc.KeyRefusal != reason)
        {
            vpc.KeyRefusal = reason;
            Version++;
        }
    }

    /// <summary>Where a pod belongs.</summary>
    /// <returns>The Vpc; null is the default network. Not ready: it has no port yet.</returns>
    public (VpcState? Vpc, bool IsReady) Resolve(PodState pod)
    {
        if (pod.Claim is not { } claim)
        {
            // A pod that has its addresses stays where it is, whatever its namespace is bound to now.
            return (null, pod.StatusAddresses.Length > 0 || pod.Namespace.Binding is null);
        }

        var subnet = Subnet(claim.Subnet);
        return (subnet.Vpc, subnet.Source is not null && subnet.Vpc is { Key: > 0 } && Addresses.Holds(pod.Uid) is { } held && held.Equals(claim));
    }

    /// <summary>A pod is in a Vpc now.</summary>
    public void Join(VpcState vpc, PodState pod)
    {
        Version++;
        vpc.Pods.Add(pod);
        if (vpc.Nodes.Increment(pod.Node!) == 1)
        {
            NotePresence(vpc, pod.Node!);
        }

        NotePort(vpc, pod);
    }

    /// <summary>A pod is not in a Vpc any more.</summary>
    public void Leave(VpcState vpc, PodState pod, NodeState node)
    {
        Version++;
        NotePort(vpc, pod);
        vpc.Pods.Remove(pod);
        if (vpc.Nodes.Decrement(node) == 0)
        {
            NotePresence(vpc, node);
            changes.Note(node, pod, whole: true);
        }
    }

    /// <summary>Tells every node of the Vpc that a port is another one now.</summary>
    public void NotePort(VpcState vpc, PodState pod)
    {
        foreach (var node in vpc.Audience())
        {
            changes.Note(node, pod, whole: true);
        }
    }

    /// <summary>The address in a Vpc of the pod that Kubernetes knows by another; null: it is in another network.</summary>
    public string? Translate(VpcState? vpc, string address)
    {
        if (!_byAlias.TryGetValue(address, out var pods))
        {
            return vpc is null ? address : null;
        }

        // Two for a moment, when an alias is given again before the end of its old pod is told.
        var pod = pods.Count == 1 ? pods[0] : pods.MinBy(p => p.Id, StringComparer.Ordinal)!;
        return vpc is not null && pod.Vpc == vpc ? Array.Find(pod.Addresses, a => Cidr.IsV6(a) == Cidr.IsV6(address)) : null;
    }

    /// <summary>Computes what follows from changed objects.</summary>
    public void Settle()
    {
        if (!_stale)
        {
            return;
        }

        _stale = false;
        Version++;
        Retry?.Invoke();
        new TenantResolver(_vpcs, _subnets, interner, settings).Resolve();
        Bind();
        Peer();
        PlanAddresses();
        foreach (var vpc in _vpcs.Values)
        {
            Publish(vpc);
        }

        foreach (var subnet in _subnets.Values)
        {
            Publish(subnet);
        }

        Forget();
    }

    /// <summary>The Vpcs that a node has.</summary>
    public static HashSet<VpcState> On(NodeState node)
    {
        // A Vpc that came as a peer of another and has pods here, too, brings its own peers.
        var own = node.Pods.Select(p => p.Vpc).OfType<VpcState>().ToHashSet();
        var all = own.ToHashSet();
        foreach (var vpc in own)
        {
            all.UnionWith(vpc.Peers.Select(p => p.Vpc));
        }

        return all;
    }

    /// <summary>Everything of a Vpc that a node which has it gets, but its Services.</summary>
    public static IEnumerable<Published> ItemsOf(VpcState vpc) =>
        new Published[] { vpc.Network, vpc.Router }.Concat(vpc.Subnets.Select(s => s.Switch)).Concat(vpc.Pods).Concat(vpc.Names);

    public static IEnumerable<Place> PlacesOf(AddressClaim claim) => claim.Addresses.Select(a => Place.Parse(a)!.Value);

    private IEnumerable<PodState> Claimants(AddressClaim claim)
    {
        var subnet = Subnet(claim.Subnet);
        return PlacesOf(claim).SelectMany(p => subnet.Owners.GetValueOrDefault(p) ?? []);
    }

    private void Set(VpcState vpc, V1Alpha1Vpc? source)
    {
        vpc.Source = source;
        Mark();
    }

    private void Mark()
    {
        _stale = true;
        Version++;
    }

    private VpcState Vpc(string name)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_vpcs, name, out _);
        return slot ??= new VpcState(name);
    }

    private SubnetState Subnet(string name)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_subnets, name, out _);
        return slot ??= new SubnetState(name);
    }

    private void Bind()
    {
        var bindings = new NamespaceBindings(_vpcs, _subnets, groups, interner).Compute();
        foreach (var ns in _bound.Concat(bindings.Keys).ToHashSet())
        {
            var next = bindings.GetValueOrDefault(ns);
            var network = next is null ? Topology.Network.DefaultKey : next.Vpc?.Key ?? 0;
            if (ns.Binding == next && ns.Vpc == next?.Vpc && ns.Network == network)
            {
                continue;
            }

            (ns.Binding, ns.Vpc, ns.Network) = (next, next?.Vpc, network);
            Rebound.Add(ns);
            Unplaced.UnionWith(_unclaimed.Where(p => p.Namespace == ns));
        }

        _bound.Clear();
        _bound.UnionWith(bindings.Keys);
    }

    private void Peer()
    {
        var (peers, problems) = new PeeringResolver(_vpcs, _peerings).Compute();
        PeeringProblems = problems;
        var audiences = _vpcs.Values.ToDictionary(v => v, v => v.Audience().ToHashSet());
        foreach (var vpc in _vpcs.Values)
        {
            vpc.Peers = peers.GetValueOrDefault(vpc) ?? [];
        }

        foreach (var (vpc, before) in audiences)
        {
            var now = vpc.Audience().ToHashSet();
            // A Subnet that left the Vpc in this batch is there no more, but these nodes were told of it.
            var told = _subnets.Values.Where(s => s.Told == vpc).ToList();
            foreach (var node in before.Except(now).Concat(now.Except(before)).ToList())
            {
                NoteAll(vpc, node);
                told.ForEach(s => changes.Note(node, s.Switch, whole: true));
            }
        }
    }

    private void PlanAddresses()
    {
        foreach (var subnet in _subnets.Values)
        {
            if (subnet.Source is null)
            {
                Addresses.RemoveSubnet(subnet.Name);
                continue;
            }

            var pools = _pools.Values.Where(p => p.Spec?.Subnet == subnet.Name).SelectMany(AddressChooser.SpansOf);
            Addresses.SetSubnet(new SubnetPlan(
                subnet.Name,
                [.. subnet.Ranges.Select(r => r.Span)],
                [.. subnet.Ranges.Select(r => new AddressRange(r.Gateway.Number, r.Gateway.Number, r.Gateway.V6))],
                [.. subnet.Excluded, .. pools]));
        }
    }

    private void Publish(VpcState vpc)
    {
        var isThere = vpc is { Source: not null, Key: > 0 };
        Publish(vpc, vpc.Network, isThere ? RecordsOfTenants.Network(vpc) : null);
        Publish(vpc, vpc.Router, isThere ? RecordsOfTenants.Router(vpc) : null);
    }

    private void Publish(VpcState vpc, VpcItem item, TopologyItem? next)
    {
        if (Equals(item.Item, next))
        {
            return;
        }

        item.Item = next;
        Unplaced.UnionWith(vpc.Pods);
        foreach (var node in vpc.Audience())
        {
            changes.Note(node, item, whole: true);
        }
    }

    private void Publish(SubnetState subnet)
    {
        var next = subnet is { Source: not null, Vpc.Key: > 0 } ? RecordsOfTenants.Switch(subnet) : null;
        Unplaced.UnionWith(subnet.Pods.Where(p => Resolve(p) is var (vpc, ready) && (p.Vpc != (ready ? vpc : null) || p.Network != (ready ? vpc!.Key : 0))));
        if (Equals(subnet.Switch.Item, next) && subnet.Told == subnet.Vpc)
        {
            return;
        }

        subnet.Switch.Item = next;
        foreach (var node in (subnet.Told?.Audience() ?? []).Concat(subnet.Vpc?.Audience() ?? []).Distinct())
        {
            changes.Note(node, subnet.Switch, whole: true);
        }

        subnet.Told = subnet.Vpc;
    }

    /// <summary>A node has the Vpc now, or has it no more: so it is with what the Vpc's peers have to tell there.</summary>
    private void NotePresence(VpcState vpc, NodeState node)
    {
        NoteAll(vpc, node);
        vpc.Peers.ForEach(p => NoteAll(p.Vpc, node));
    }

    private void NoteAll(VpcState vpc, NodeState node)
    {
        foreach (var item in ItemsOf(vpc))
        {
            changes.Note(node, item, whole: true);
        }

        foreach (var service in vpc.Services)
        {
            changes.Note(node, service.Endpoints, whole: true);
            changes.Note(node, service.LoadBalancer, whole: true);
        }
    }

    private void Forget()
    {
        foreach (var subnet in _subnets.Values.Where(s => s is { Source: null, Pods.Count: 0, Coming.Count: 0 }).ToList())
        {
            _subnets.Remove(subnet.Name);
        }

        foreach (var vpc in _vpcs.Values.Where(v => v is { Source: null, Pods.Count: 0, Services.Count: 0, Names.Count: 0 } && !_subnets.Values.Any(s => s.Vpc == v)).ToList())
        {
            _vpcs.Remove(vpc.Name);
        }
    }
}
