using Weft.Controller.Network.LoadBalancers;
using Weft.Kubernetes;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Controller.Network;

/// <summary>The Services and their endpoints. A change computes its Service anew, once per batch. Not thread-safe.</summary>
internal sealed class ServiceTable(KeyTable keys, GroupTable groups, TenantTable tenants, NodeTable nodes, PoolTable pools, Changes changes)
{
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly Dictionary<ObjectKey, ServiceState> _services = [];
    private readonly Dictionary<ObjectKey, ServiceState> _serviceOfSlice = [];
    private readonly Dictionary<string, HashSet<ServiceState>> _byAddress = new(StringComparer.Ordinal);
    private readonly HashSet<ServiceState> _stale = [];

    /// <summary>The number of Services.</summary>
    public int Count => _services.Values.Count(s => s.Service is not null);

    /// <summary>Every port of every Service.</summary>
    public IEnumerable<ServicePortItem> Ports => _services.Values.SelectMany(s => s.Ports.Values);

    /// <summary>Everything that every node has of Services, referents first: those of the default network.</summary>
    public IEnumerable<Published> Items => ItemsOf(Ports.Where(p => p.Vpc is null));

    /// <summary>What nodes have of these ports, referents first.</summary>
    public static IEnumerable<Published> ItemsOf(IEnumerable<ServicePortItem> ports)
    {
        var all = ports.ToList();
        return all.Select(p => (Published)p.Endpoints).Concat(all.Select(p => p.LoadBalancer));
    }

    public void Upsert(V1Service service)
    {
        ServiceCompiler.Check(service);
        var state = Service(ObjectKey.Of(service));
        state.Service = service;
        pools.Take(state.Key, service);
        _stale.Add(state);
    }

    public void RemoveService(ObjectKey key)
    {
        if (_services.TryGetValue(key, out var state))
        {
            state.Service = null;
            pools.Take(key, null);
            _stale.Add(state);
        }
    }

    public void Upsert(V1EndpointSlice slice)
    {
        var key = ObjectKey.Of(slice);
        var name = slice.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel);
        if (string.IsNullOrEmpty(name))
        {
            // Slices without a Service are somebody else's.
            RemoveSlice(key);
            return;
        }

        var state = Service(new ObjectKey(key.Namespace, name));
        if (_serviceOfSlice.TryGetValue(key, out var before) && before != state)
        {
            RemoveSlice(key);
        }

        _serviceOfSlice[key] = state;
        state.Slices.TryGetValue(key.Name, out var old);
        Index(state, slice, add: true);
        Index(state, old, add: false, but: slice);
        state.Slices[key.Name] = slice;
        _stale.Add(state);
    }

    public void RemoveSlice(ObjectKey key)
    {
        if (_serviceOfSlice.Remove(key, out var state))
        {
            Index(state, state.Slices.GetValueOrDefault(key.Name), add: false);
            state.Slices.Remove(key.Name);
            _stale.Add(state);
        }
    }

    /// <summary>Marks what depends on tenants' networks: Services of namespaces that moved, and those with an address whose pod is another one now.</summary>
    public void MarkTenants()
    {
        if (tenants.Rebound.Count > 0)
        {
            _stale.UnionWith(_services.Where(s => tenants.Rebound.Contains(groups.Namespace(s.Key.Namespace))).Select(s => s.Value));
        }

        foreach (var address in tenants.ChangedAliases)
        {
            _stale.UnionWith(_byAddress.GetValueOrDefault(address) ?? []);
        }

        tenants.ChangedAliases.Clear();
    }

    /// <summary>Marks the Services whose address another node may have to answer for now.</summary>
    public void MarkAnnounced() => _stale.UnionWith(_services.Values.Where(s => s.Ports.Values.Any(p => p.LoadBalancer.Item is { Announced.IsEmpty: false })));

    /// <summary>Computes the Services that changed since the last call.</summary>
    public void ComputeStale()
    {
        foreach (var state in _stale)
        {
            Compute(state);
            if (state.Service is null && state.Slices.Count == 0)
            {
                _services.Remove(state.Key);
            }
        }

        _stale.Clear();
    }

    /// <summary>Finds the Services behind an address. Slices of one Service may overlap: an entry goes with the last that has it.</summary>
    private void Index(ServiceState state, V1EndpointSlice? slice, bool add, V1EndpointSlice? but = null)
    {
        foreach (var address in AddressesOf(slice))
        {
            if (add)
            {
                (_byAddress.TryGetValue(address, out var services) ? services : _byAddress[address] = []).Add(state);
            }
            else if (!AddressesOf(but).Concat(state.Slices.Values.Where(s => s != slice).SelectMany(AddressesOf)).Contains(address)
                && _byAddress.TryGetValue(address, out var services) && services.Remove(state) && services.Count == 0)
            {
                _byAddress.Remove(address);
            }
        }
    }

    private static IEnumerable<string> AddressesOf(V1EndpointSlice? slice) =>
        (slice?.Endpoints ?? []).Select(e => Cidr.Address(e.Addresses?.FirstOrDefault())).OfType<string>();

    private void ComputeName(ServiceState state, VpcState? vpc, int network)
    {
        var next = vpc is null || state.Service is null ? null : ServiceCompiler.NameOf(state.Service, state.Slices.Values, network, a => tenants.Translate(vpc, a));
        if (state.Name is { } old && (old.Vpc != vpc || next is null))
        {
            old.Item = null;
            old.Vpc.Names.Remove(old);
            Note(old.Vpc, old, whole: true);
            state.Name = null;
        }

        if (next is null)
        {
            return;
        }

        if (state.Name is null)
        {
            state.Name = new DnsNameItem(next.Id, vpc!);
            vpc!.Names.Add(state.Name);
        }

        if (!next.Equals(state.Name.Item))
        {
            state.Name.Item = next;
            Note(vpc, state.Name, whole: true);
        }
    }

    private void Note(VpcState? vpc, Published item, bool whole)
    {
        if (vpc is null)
        {
            changes.NoteAll(item, whole);
            return;
        }

        changes.Work++;
        foreach (var node in vpc.Nodes.Items)
        {
            changes.Note(node, item, whole);
        }
    }

    private ServiceState Service(ObjectKey key)
    {
        if (!_services.TryGetValue(key, out var state))
        {
            _services[key] = state = new ServiceState(key);
        }

        return state;
    }

    private int KeyOf(ServiceState state, string id)
    {
        if (!state.Ports.TryGetValue(id, out var item))
        {
            state.Ports[id] = item = new ServicePortItem(id, keys.Take(id));
        }

        return item.Key;
    }

    private void Set(ServiceState state, VpcState? vpc, LoadBalancer balancer, Dictionary<(string Address, int Port), Endpoint> endpoints)
    {
        changes.Work++;
        var item = state.Ports[balancer.Id];
        if (item.Vpc != vpc)
        {
            // Those who have it lose it, those who will have it get it.
            Note(item.Vpc, item.Endpoints, whole: true);
            Note(item.Vpc, item.LoadBalancer, whole: true);
            item.Vpc = vpc;
            Note(vpc, item.Endpoints, whole: true);
            Note(vpc, item.LoadBalancer, whole: true);
        }

        var isNew = item.Endpoints.Item is null;
        if (item.Endpoints.Set(changes, endpoints))
        {
            Note(vpc, item.Endpoints, whole: isNew);
        }

        if (!balancer.Equals(item.LoadBalancer.Item))
        {
            item.LoadBalancer.Item = balancer;
            Note(vpc, item.LoadBalancer, whole: true);
        }
    }

    private void Compute(ServiceState state)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        var ns = groups.Namespace(state.Key.Namespace);
        var vpc = ns.Binding is null ? null : ns.Vpc;
        foreach (var port in state.Service is null ? [] : ServiceCompiler.PortsOf(state.Service))
        {
            var id = $"{state.Key}/{port.Name}/{(port.V6 ? 6 : 4)}";
            if (!wanted.Add(id))
            {
                continue;
            }

            var balancer = ServiceCompiler.LoadBalancerOf(state.Service!, port, id, KeyOf(state, id)) with { NetworkKey = ns.Network };
            if (vpc is null)
            {
                Set(state, null, Announcement.Of(balancer, state, nodes, pools), ServiceCompiler.EndpointsOf(state.Slices.Values, port, a => tenants.Translate(null, a)));
                continue;
            }

            Set(state, vpc, ServiceCompiler.WithinTenant(balancer), ServiceCompiler.EndpointsOf(state.Slices.Values, port, a => tenants.Translate(vpc, a)));
            var outside = $"{state.Key}/{port.Name}/outside/{(port.V6 ? 6 : 4)}";
            if (ServiceCompiler.IsShownOutside(balancer) && wanted.Add(outside))
            {
                // By alias, in the default network: every node brings in what is for the tenant.
                var way = ServiceCompiler.FromOutside(balancer, outside, KeyOf(state, outside));
                Set(state, null, Announcement.Of(way, state, nodes, pools), ServiceCompiler.EndpointsOf(state.Slices.Values, port, a => tenants.Translate(vpc, a) is null ? null : a));
            }
        }

        ComputeName(state, vpc, ns.Network);
        foreach (var (id, item) in state.Ports.Where(p => !wanted.Contains(p.Key)).ToArray())
        {
            state.Ports.Remove(id);
            keys.Release(item.Key);
            item.LoadBalancer.Item = null;
            item.Endpoints.Set(changes, null);
            Note(item.Vpc, item.LoadBalancer, whole: true);
            Note(item.Vpc, item.Endpoints, whole: true);
            item.Vpc = null;
        }
    }
}
