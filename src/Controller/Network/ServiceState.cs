using Weft.Incremental;
using Weft.Kubernetes;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Controller.Network;

/// <summary>A Service with the slices that name it. Either may come first.</summary>
internal sealed class ServiceState(ObjectKey key)
{
    public ObjectKey Key => key;

    public V1Service? Service { get; set; }

    /// <summary>By name: where they overlap, the order of their coming must not decide.</summary>
    public SortedDictionary<string, V1EndpointSlice> Slices { get; } = new(StringComparer.Ordinal);

    /// <summary>What its name means in a tenant's network; null in the default one.</summary>
    public DnsNameItem? Name { get; set; }

    /// <summary>What it is computed to, by id.</summary>
    public Dictionary<string, ServicePortItem> Ports { get; } = new(StringComparer.Ordinal);
}

/// <summary>The name of a tenant's Service; every node that has its network has it.</summary>
internal sealed class DnsNameItem(string id, VpcState vpc) : Published
{
    public VpcState Vpc => vpc;

    public DnsName? Item { get; set; }

    public override ItemRef Ref => new(ItemKind.DnsName, id);

    public override TopologyItem? For(NodeState node) => vpc.Nodes.Contains(node) ? Item : null;
}

/// <summary>One port of one Service in one family.</summary>
internal sealed class ServicePortItem(string id, int key)
{
    public int Key => key;

    /// <summary>The tenant's network of its namespace; null: the default one, which every node has.</summary>
    public VpcState? Vpc
    {
        get;
        set
        {
            field?.Services.Remove(this);
            field = LoadBalancer.Vpc = Endpoints.Vpc = value;
            value?.Services.Add(this);
        }
    }

    public LoadBalancerItem LoadBalancer { get; } = new(id);

    public EndpointSetItem Endpoints { get; } = new(id);
}

/// <summary>The load balancer of a Service port; every node that has its network has it.</summary>
internal sealed class LoadBalancerItem(string id) : Published
{
    public VpcState? Vpc { get; set; }

    public LoadBalancer? Item { get; set; }

    public override ItemRef Ref => new(ItemKind.LoadBalancer, id);

    public override TopologyItem? For(NodeState node) => Vpc is null || Vpc.Nodes.Contains(node) ? Item : null;
}

/// <summary>The endpoints of a Service port; every node that has its network has them.</summary>
internal sealed class EndpointSetItem(string id) : Published
{
    private MemberLog<(string Address, int Port)>? _log;
    private Dictionary<(string Address, int Port), Endpoint> _endpoints = [];

    public EndpointSet? Item { get; private set; }

    public VpcState? Vpc { get; set; }

    public override ItemRef Ref => new(ItemKind.EndpointSet, id);

    public override TopologyItem? For(NodeState node) => Vpc is null || Vpc.Nodes.Contains(node) ? Item : null;

    /// <summary>Replaces the endpoints.</summary>
    /// <returns>Whether anything changed.</returns>
    public bool Set(Changes changes, Dictionary<(string Address, int Port), Endpoint>? endpoints)
    {
        var old = _endpoints;
        _endpoints = endpoints ?? [];
        if (endpoints is null)
        {
            (Item, _log) = (null, null);
            return true;
        }

        var gone = old.Keys.Where(k => !endpoints.ContainsKey(k)).ToList();
        var changed = endpoints.Where(e => !old.TryGetValue(e.Key, out var before) || !before.Equals(e.Value)).Select(e => e.Key).ToList();
        if (Item is not null && gone.Count + changed.Count == 0)
        {
            return false;
        }

        Item = new EndpointSet
        {
            Id = id,
            Endpoints = endpoints.OrderBy(e => e.Key.Address, StringComparer.Ordinal).ThenBy(e => e.Key.Port).Select(e => e.Value).ToEquatableArray(),
        };
        Log(changes, gone, changed);
        return true;
    }

    public override SetPatch? PatchSince(long revision)
    {
        if (_log is null || revision < _log.Floor)
        {
            return null;
        }

        var (add, remove) = (new List<Endpoint>(), new List<Endpoint>());
        foreach (var (address, port) in _log.Since(revision).Keys)
        {
            if (_endpoints.TryGetValue((address, port), out var endpoint))
            {
                add.Add(endpoint);
            }
            else
            {
                remove.Add(new Endpoint { Address = address, Port = port });
            }
        }

        return new SetPatch { Kind = ItemKind.EndpointSet, Id = id, AddEndpoints = add.ToEquatableArray(), RemoveEndpoints = remove.ToEquatableArray() };
    }

    private void Log(Changes changes, List<(string Address, int Port)> gone, List<(string Address, int Port)> changed)
    {
        if (!changes.IsFollowed)
        {
            _log = null;
            return;
        }

        _log ??= new MemberLog<(string, int)>(changes.Revision, Changes.SetHistory);
        gone.ForEach(k => _log.Note(changes.Next, k, added: false));
        changed.ForEach(k => _log.Note(changes.Next, k, added: true));
    }
}
