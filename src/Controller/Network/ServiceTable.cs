using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The Services and their endpoints. A change computes its Service anew, once per batch. Not thread-safe.</summary>
internal sealed class ServiceTable(KeyTable keys, Changes changes)
{
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly Dictionary<ObjectKey, ServiceState> _services = [];
    private readonly Dictionary<ObjectKey, ServiceState> _serviceOfSlice = [];
    private readonly HashSet<ServiceState> _stale = [];

    /// <summary>The number of Services.</summary>
    public int Count => _services.Values.Count(s => s.Service is not null);

    /// <summary>Every port of every Service.</summary>
    public IEnumerable<ServicePortItem> Ports => _services.Values.SelectMany(s => s.Ports.Values);

    /// <summary>Everything that nodes have of Services, referents first.</summary>
    public IEnumerable<Published> Items =>
        Ports.Select(p => (Published)p.Endpoints).Concat(Ports.Select(p => p.LoadBalancer));

    public void Upsert(V1Service service)
    {
        ServiceCompiler.Check(service);
        var state = Service(ObjectKey.Of(service));
        state.Service = service;
        _stale.Add(state);
    }

    public void RemoveService(ObjectKey key)
    {
        if (_services.TryGetValue(key, out var state))
        {
            state.Service = null;
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
        state.Slices[key.Name] = slice;
        _stale.Add(state);
    }

    public void RemoveSlice(ObjectKey key)
    {
        if (_serviceOfSlice.Remove(key, out var state))
        {
            state.Slices.Remove(key.Name);
            _stale.Add(state);
        }
    }

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

    private ServiceState Service(ObjectKey key)
    {
        if (!_services.TryGetValue(key, out var state))
        {
            _services[key] = state = new ServiceState(key);
        }

        return state;
    }

    private void Compute(ServiceState state)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in state.Service is null ? [] : ServiceCompiler.PortsOf(state.Service))
        {
            var id = $"{state.Key}/{port.Name}/{(port.V6 ? 6 : 4)}";
            if (!wanted.Add(id))
            {
                continue;
            }

            changes.Work++;
            var isNew = !state.Ports.TryGetValue(id, out var item);
            if (item is null)
            {
                state.Ports[id] = item = new ServicePortItem(id, keys.Take(id));
            }

            var balancer = ServiceCompiler.LoadBalancerOf(state.Service!, port, id, item.Key);
            if (item.Endpoints.Set(changes, ServiceCompiler.EndpointsOf(state.Slices.Values, port)))
            {
                changes.NoteAll(item.Endpoints, whole: isNew);
            }

            if (!balancer.Equals(item.LoadBalancer.Item))
            {
                item.LoadBalancer.Item = balancer;
                changes.NoteAll(item.LoadBalancer, whole: true);
            }
        }

        foreach (var (id, item) in state.Ports.Where(p => !wanted.Contains(p.Key)).ToArray())
        {
            state.Ports.Remove(id);
            keys.Release(item.Key);
            item.LoadBalancer.Item = null;
            item.Endpoints.Set(changes, null);
            changes.NoteAll(item.LoadBalancer, whole: true);
            changes.NoteAll(item.Endpoints, whole: true);
        }
    }
}
