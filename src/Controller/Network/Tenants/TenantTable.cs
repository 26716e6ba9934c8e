using System.Runtime.InteropServices;
using Weft.Controller.Allocation;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The tenants' Vpcs and Subnets, the namespaces bound to them, and the pods in them. Not thread-safe.</summary>
/// <remarks>Objects are few and are settled together, once per batch (TenantTable.Settle.cs); pods are many and are placed one by one (TenantTable.Pods.cs).</remarks>
internal sealed partial class TenantTable(GroupTable groups, Interner interner, Changes changes, ClusterSettings settings, TimeProvider time)
{
    private readonly Dictionary<string, VpcState> _vpcs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SubnetState> _subnets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, V1Alpha1VpcPeering> _peerings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, V1Alpha1AddressPool> _pools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PodState>> _byAlias = new(StringComparer.Ordinal);
    private readonly HashSet<PodState> _unclaimed = [];
    private readonly HashSet<NamespaceState> _bound = [];
    private readonly HashSet<VpcState> _vpcsToTell = [];
    private readonly HashSet<SubnetState> _subnetsToTell = [];
    private bool _allToTell = true;
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

    /// <summary>Rises with everything that the keys of networks may depend on.</summary>
    public long KeysVersion { get; private set; }

    public void Upsert(V1Alpha1Vpc vpc)
    {
        var state = Vpc(vpc.Metadata.Name!);
        var isSame = SaysTheSame(state.Source?.Metadata, vpc.Metadata) && state.Source!.Status?.NetworkKey == vpc.Status?.NetworkKey;
        state.Source = vpc;
        _vpcsToTell.Add(state);
        KeysVersion += isSame ? 0 : 1;
        Mark(isSame);
    }

    public void Upsert(V1Alpha1Subnet subnet)
    {
        var state = Subnet(subnet.Metadata.Name!);
        var isSame = SaysTheSame(state.Source?.Metadata, subnet.Metadata)
            && (state.Source!.Status?.Namespaces ?? []).SequenceEqual(subnet.Status?.Namespaces ?? [], StringComparer.Ordinal);
        state.Source = subnet;
        _subnetsToTell.Add(state);
        Mark(isSame);
    }

    public void Upsert(V1Alpha1VpcPeering peering)
    {
        var isSame = SaysTheSame(_peerings.GetValueOrDefault(peering.Metadata.Name!)?.Metadata, peering.Metadata);
        _peerings[peering.Metadata.Name!] = peering;
        _allToTell = true;
        Mark(isSame);
    }

    public void Upsert(V1Alpha1AddressPool pool)
    {
        var isSame = SaysTheSame(_pools.GetValueOrDefault(pool.Metadata.Name!)?.Metadata, pool.Metadata);
        _pools[pool.Metadata.Name!] = pool;
        if (_subnets.TryGetValue(pool.Spec?.Subnet ?? "", out var subnet))
        {
            _subnetsToTell.Add(subnet);
        }

        Mark(isSame);
    }

    public void RemoveVpc(string name)
    {
        Vpc(name).Source = null;
        KeysVersion++;
        Mark();
    }

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

    /// <summary>Says why a Vpc has no key.</summary>
    public void RefuseKey(string name, string? reason)
    {
        if (_vpcs.TryGetValue(name, out var vpc) && vpc.KeyRefusal != reason)
        {
            vpc.KeyRefusal = reason;
            _vpcsToTell.Add(vpc);
            Version++;
        }
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

    /// <summary>What may have another status since the last call: those of a pod that came cost what the pod concerns, not what there is.</summary>
    public StatusesToTell TakeToTell()
    {
        var taken = new StatusesToTell(_allToTell, [.. _vpcsToTell], [.. _subnetsToTell]);
        _vpcsToTell.Clear();
        _subnetsToTell.Clear();
        _allToTell = false;
        return taken;
    }

    /// <summary>Makes every status be told again: somebody else told them, or one could not be written.</summary>
    public void TellAll()
    {
        _allToTell = true;
        Version++;
    }

    /// <summary>Whether an object asks for the same as before: then only its status is another one, which nothing but itself depends on.</summary>
    private static bool SaysTheSame(V1ObjectMeta? before, V1ObjectMeta now) => before?.Generation is { } generation && generation == now.Generation
        && before.Uid == now.Uid && before.DeletionTimestamp is null == now.DeletionTimestamp is null;

    private void Mark(bool isSame = false)
    {
        _stale |= !isSame;
        Version++;
    }

    /// <summary>A pod came, went, or is another one now: so are the statuses that count it.</summary>
    private void ToTell(PodState pod)
    {
        Version++;
        if (pod.Claim is { } claim)
        {
            ToTell(Subnet(claim.Subnet));
        }

        if (pod.Namespace.Binding is { } bound)
        {
            ToTell(bound);
        }
    }

    private void ToTell(SubnetState subnet)
    {
        _subnetsToTell.Add(subnet);
        if (subnet.Vpc is { } vpc)
        {
            _vpcsToTell.Add(vpc);
        }
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
}

/// <summary>Whose statuses may say something else.</summary>
/// <param name="All">Everybody's.</param>
/// <param name="Vpcs">Else those of these Vpcs.</param>
/// <param name="Subnets">And those of these Subnets, with the pools in them.</param>
internal sealed record StatusesToTell(bool All, IReadOnlyCollection<VpcState> Vpcs, IReadOnlyCollection<SubnetState> Subnets);
