using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>A network with one node to which a test tells tenants' objects, each a second younger than the one before, and asks what became of them.</summary>
internal sealed class TenantWorld
{
    private const string Node = "node-0";

    private readonly LogicalNetwork _network;
    private readonly Dictionary<string, V1Pod> _pods = [];
    private readonly Dictionary<string, DateTimeOffset> _created = [];
    private int _version;

    public TenantWorld()
    {
        _network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId, ServiceCidrs = ["10.96.0.0/16"] });
        _network.Upsert(new V1Node { Metadata = new V1ObjectMeta { Name = Node } });
    }

    public TenantWorld Namespace(string name, params (string Key, string Value)[] labels)
    {
        _network.Upsert(new V1Namespace { Metadata = new V1ObjectMeta { Name = name, Labels = labels.ToDictionary(l => l.Key, l => l.Value) } });
        return this;
    }

    /// <summary>A Vpc, with a key unless it is 0.</summary>
    public TenantWorld Vpc(string name, int key, V1Alpha1VpcSpec? spec = null)
    {
        _network.Upsert(new V1Alpha1Vpc { Metadata = Metadata(name), Spec = spec ?? new(), Status = new V1Alpha1VpcStatus { NetworkKey = key == 0 ? null : key } });
        return this;
    }

    public TenantWorld Subnet(string name, string vpc, string[] cidrs, Action<V1Alpha1SubnetSpec>? change = null)
    {
        var spec = new V1Alpha1SubnetSpec { Vpc = vpc, Cidrs = [.. cidrs], Namespaces = [name] };
        change?.Invoke(spec);
        _network.Upsert(new V1Alpha1Subnet { Metadata = Metadata(name), Spec = spec });
        return this;
    }

    public TenantWorld Peering(string name, string vpc, string peer, params string[] subnets)
    {
        _network.Upsert(new V1Alpha1VpcPeering { Metadata = Metadata(name), Spec = new V1Alpha1VpcPeeringSpec { Vpc = vpc, PeerVpc = peer, Subnets = [.. subnets] } });
        return this;
    }

    public TenantWorld Pool(string name, string subnet, string[] ips, params string[] namespaces)
    {
        _network.Upsert(new V1Alpha1AddressPool { Metadata = Metadata(name), Spec = new V1Alpha1AddressPoolSpec { Subnet = subnet, Ips = [.. ips], Namespaces = [.. namespaces] } });
        return this;
    }

    /// <summary>Makes a pod and gives it what the controller decides.</summary>
    /// <returns>See <see cref="StateOf"/>.</returns>
    public string Pod(string ns, string name, bool isOfStatefulSet = false, params (string Key, string Value)[] annotations)
    {
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                NamespaceProperty = ns, Name = name, Uid = $"{ns}-{name}", ResourceVersion = $"{++_version}", Annotations = annotations.ToDictionary(a => a.Key, a => a.Value),
                Labels = isOfStatefulSet ? new() { ["statefulset.kubernetes.io/pod-name"] = name } : [],
            },
            Spec = new V1PodSpec { NodeName = Node },
            Status = new V1PodStatus { Phase = "Pending" },
        };
        _pods[$"{ns}/{name}"] = pod;
        _network.Upsert(pod);
        _network.Commit();
        foreach (var claim in _network.Tenants.TakeClaims(10, term: 1, DateTimeOffset.UnixEpoch))
        {
            var written = _pods[$"{claim.Namespace}/{claim.Name}"];
            written.Metadata.Annotations![AddressClaim.Annotation] = claim.Claim.ToAnnotation();
            written.Metadata.ResourceVersion = $"{++_version}";
            _network.Upsert(written);
        }

        return StateOf($"{ns}/{name}");
    }

    /// <summary>The addresses and the switch of a pod, or why it has none.</summary>
    public string StateOf(string pod)
    {
        var port = Items<LogicalPort>().Single(p => p.Id == pod);
        return port.Problem ?? $"{string.Join(' ', port.Addresses)} {port.Switch}";
    }

    public string MacOf(string pod) => Items<LogicalPort>().Single(p => p.Id == pod).Mac!;

    public void RefuseKey(string vpc, string reason) => _network.Tenants.RefuseKey(vpc, reason);

    /// <summary>What a node has.</summary>
    public IEnumerable<T> Items<T>()
    {
        _network.Commit();
        return _network.Snapshot(Node).OfType<T>();
    }

    /// <summary>A condition of an object as <c>Type=Status Reason: message</c>.</summary>
    public string Condition(string kind, string name, string type = "Ready")
    {
        _network.Commit();
        var status = _network.Tenants.Statuses().Single(s => s.Object.GetType().Name == "V1Alpha1" + kind && s.Object.Metadata.Name == name).Status;
        var condition = Conditions(status).Single(c => c.Type == type);
        return $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}";
    }

    public T Status<T>(string name)
    {
        _network.Commit();
        return (T)_network.Tenants.Statuses().Single(s => s.Status is T && s.Object.Metadata.Name == name).Status;
    }

    private static List<V1Condition> Conditions(object status) => status switch
    {
        V1Alpha1VpcStatus vpc => vpc.Conditions!,
        V1Alpha1SubnetStatus subnet => subnet.Conditions!,
        V1Alpha1AddressPoolStatus pool => pool.Conditions!,
        V1Alpha1ConditionsStatus peering => peering.Conditions!,
        _ => throw new ArgumentException($"{status.GetType().Name} has no conditions", nameof(status)),
    };

    private V1ObjectMeta Metadata(string name)
    {
        // An object that is told again keeps its age and has another generation.
        _created.TryAdd(name, DateTimeOffset.UnixEpoch.AddSeconds(_created.Count));
        return new V1ObjectMeta { Name = name, Uid = name, Generation = ++_version, CreationTimestamp = _created[name] };
    }
}
