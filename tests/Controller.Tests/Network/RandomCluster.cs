using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Kubernetes;

namespace Weft.Controller.Tests.Network;

/// <summary>A small cluster that changes at random: few names, so that everything meets everything.</summary>
internal sealed class RandomCluster
{
    private static readonly string[] Namespaces = ["a", "b", "c"];
    private static readonly string[] NodeNames = ["n1", "n2", "n3"];
    private static readonly string[] Keys = ["app", "tier", "env"];
    private static readonly string[] Values = ["x", "y"];
    private static readonly string[] Addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "fd00::1", "fd00::2"];
    private static readonly string[] ProtocolNames = ["TCP", "UDP", "SCTP"];

    public Dictionary<string, V1Node> Nodes { get; } = [];

    public Dictionary<string, V1Namespace> NamespaceObjects { get; } = [];

    public Dictionary<ObjectKey, V1Pod> Pods { get; } = [];

    public Dictionary<ObjectKey, V1NetworkPolicy> Policies { get; } = [];

    public Dictionary<ObjectKey, V1Service> Services { get; } = [];

    public Dictionary<ObjectKey, V1EndpointSlice> Slices { get; } = [];

    public Dictionary<string, V1Alpha1Vpc> Vpcs { get; } = [];

    public Dictionary<string, V1Alpha1Subnet> Subnets { get; } = [];

    public Dictionary<string, V1Alpha1VpcPeering> Peerings { get; } = [];

    /// <summary>Whether tenants' objects and pods with claims come, too.</summary>
    public bool HasTenants { get; init; }

    /// <summary>Changes one object, as the seed says, and tells the network.</summary>
    public void Step(int seed, LogicalNetwork network)
    {
        Change(seed, network);
        if (HasTenants)
        {
            // As the watcher does for policies whose namespace moved.
            network.Commit();
            foreach (var key in network.TakePoliciesToTellAgain())
            {
                if (Policies.TryGetValue(key, out var policy))
                {
                    network.Upsert(policy);
                }
            }
        }
    }

    private void Change(int seed, LogicalNetwork network)
    {
        var random = new Random(seed);
        if (HasTenants && random.Next(3) == 0)
        {
            Tenant(random, network);
            return;
        }

        switch (random.Next(20))
        {
            case 0:
                Node(random, network);
                break;
            case 1 or 2:
                Namespace(random, network);
                break;
            case < 10:
                Pod(random, network);
                break;
            case < 16:
                Policy(random, network);
                break;
            case < 18:
                Service(random, network);
                break;
            default:
                Slice(random, network);
                break;
        }
    }

    /// <summary>Tells a network everything, in an order that the seed decides.</summary>
    public void TellAll(int seed, LogicalNetwork network)
    {
        var random = new Random(seed);
        var told = new List<Action>();
        told.AddRange(Nodes.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(NamespaceObjects.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Pods.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Policies.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Services.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Slices.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Vpcs.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Subnets.Values.Select(o => (Action)(() => network.Upsert(o))));
        told.AddRange(Peerings.Values.Select(o => (Action)(() => network.Upsert(o))));
        foreach (var tell in told.OrderBy(_ => random.Next()))
        {
            tell();
        }

        network.Commit();
        foreach (var key in network.TakePoliciesToTellAgain())
        {
            network.Upsert(Policies[key]);
        }

        network.Commit();
    }

    private void Tenant(Random random, LogicalNetwork network)
    {
        var number = random.Next(3);
        var isRemoval = random.Next(5) == 0;
        var created = DateTimeOffset.UnixEpoch.AddSeconds(random.Next(3));
        switch (random.Next(5))
        {
            case 0:
                var vpc = new V1Alpha1Vpc
                {
                    Metadata = new V1ObjectMeta { Name = $"v{number}", Uid = $"v{number}", CreationTimestamp = created },
                    Spec = new V1Alpha1VpcSpec { Namespaces = Namespaces.Where(_ => random.Next(4) == 0).ToList(), NatOutgoing = random.Next(2) == 0 },
                    Status = random.Next(4) == 0 ? null : new V1Alpha1VpcStatus { NetworkKey = 16 + random.Next(4) },
                };
                Put(Vpcs, vpc, isRemoval, network.Upsert, network.RemoveVpc);
                break;
            case 1:
                var peering = new V1Alpha1VpcPeering
                {
                    Metadata = new V1ObjectMeta { Name = $"p{random.Next(6)}", CreationTimestamp = created },
                    Spec = new V1Alpha1VpcPeeringSpec { Vpc = $"v{number}", PeerVpc = $"v{(number + 1 + random.Next(2)) % 3}" },
                };
                Put(Peerings, peering, isRemoval, network.Upsert, network.RemoveVpcPeering);
                break;
            default:
                var subnet = new V1Alpha1Subnet
                {
                    Metadata = new V1ObjectMeta { Name = $"s{random.Next(4)}", CreationTimestamp = created },
                    Spec = new V1Alpha1SubnetSpec
                    {
                        Vpc = $"v{number}",
                        Cidrs = random.Next(3) switch { 0 => ["10.0.0.0/28"], 1 => ["10.0.0.0/28", "fd00::/64"], _ => ["10.9.0.0/28", "10.8.0.0/24"] },
                        Namespaces = Namespaces.Where(_ => random.Next(3) == 0).ToList(),
                        NamespaceSelector = random.Next(4) == 0 ? Selector(random) : null,
                    },
                };
                Put(Subnets, subnet, isRemoval, network.Upsert, network.RemoveSubnet);
                break;
        }
    }

    private static void Put<T>(Dictionary<string, T> all, T value, bool isRemoval, Action<T> upsert, Action<string> remove)
        where T : IKubernetesObject
    {
        var name = value.Metadata.Name!;
        if (isRemoval)
        {
            all.Remove(name);
            remove(name);
            return;
        }

        all[name] = value;
        upsert(value);
    }

    private static Dictionary<string, string>? Claim(Random random, string uid) => random.Next(2) == 0 ? null : new Dictionary<string, string>
    {
        [AddressClaim.Annotation] = new AddressClaim { Uid = uid, Term = random.Next(3), Subnet = $"s{random.Next(4)}", Addresses = [$"10.0.0.{2 + random.Next(4)}"] }.ToAnnotation(),
    };

    private void Node(Random random, LogicalNetwork network)
    {
        var name = Pick(random, NodeNames);
        if (Goes(random, Nodes, name, network.RemoveNode))
        {
            return;
        }

        var node = new V1Node
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1NodeSpec { PodCIDRs = random.Next(4) == 0 ? null : [$"10.244.{name[1..]}.0/24", $"fd00:{name[1..]}::/64"] },
            Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = $"172.30.{random.Next(2)}.{name[1..]}" }] },
        };
        Nodes[name] = node;
        network.Upsert(node);
    }

    private void Namespace(Random random, LogicalNetwork network)
    {
        var name = Pick(random, Namespaces);
        if (Goes(random, NamespaceObjects, name, network.RemoveNamespace))
        {
            return;
        }

        var ns = new V1Namespace { Metadata = new V1ObjectMeta { Name = name, Labels = Labels(random) } };
        NamespaceObjects[name] = ns;
        network.Upsert(ns);
    }

    /// <summary>One step of four takes an object away.</summary>
    private static bool Goes<TKey, T>(Random random, Dictionary<TKey, T> objects, TKey key, Action<TKey> remove)
        where TKey : notnull
    {
        if (random.Next(4) != 0)
        {
            return false;
        }

        objects.Remove(key);
        remove(key);
        return true;
    }

    private void Pod(Random random, LogicalNetwork network)
    {
        var key = new ObjectKey(Pick(random, Namespaces), $"p{random.Next(4)}");
        if (Goes(random, Pods, key, network.RemovePod))
        {
            return;
        }

        // Two lives of one name at most at a time; a uid is never that of another pod.
        var uid = $"{key}-{random.Next(2)}";
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                NamespaceProperty = key.Namespace,
                Name = key.Name,
                Uid = uid,
                Labels = Labels(random),
                Annotations = HasTenants ? Claim(random, uid) : null,
                CreationTimestamp = DateTimeOffset.UnixEpoch,
            },
            Spec = new V1PodSpec
            {
                NodeName = random.Next(6) == 0 ? null : Pick(random, NodeNames),
                HostNetwork = random.Next(10) == 0,
                Containers = [new V1Container { Ports = ContainerPorts(random) }],
            },
            Status = new V1PodStatus
            {
                Phase = random.Next(10) == 0 ? "Succeeded" : "Running",
                PodIPs = Addresses.Where(_ => random.Next(6) == 0).Select(a => new V1PodIP { Ip = a }).ToList(),
            },
        };
        Pods[key] = pod;
        network.Upsert(pod);
    }

    private void Policy(Random random, LogicalNetwork network)
    {
        var key = new ObjectKey(Pick(random, Namespaces), $"np{random.Next(4)}");
        if (Goes(random, Policies, key, network.RemovePolicy))
        {
            return;
        }

        var policy = new V1NetworkPolicy
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = key.Namespace, Name = key.Name },
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = Selector(random),
                PolicyTypes = random.Next(4) switch { 0 => null, 1 => ["Ingress"], 2 => ["Egress"], _ => ["Ingress", "Egress"] },
                Ingress = Some(random, () => new V1NetworkPolicyIngressRule { FromProperty = Some(random, () => Peer(random)), Ports = Some(random, () => Port(random)) }),
                Egress = Some(random, () => new V1NetworkPolicyEgressRule { To = Some(random, () => Peer(random)), Ports = Some(random, () => Port(random)) }),
            },
        };
        Policies[key] = policy;
        network.Upsert(policy);
    }

    private void Service(Random random, LogicalNetwork network)
    {
        var key = new ObjectKey(Pick(random, Namespaces), $"s{random.Next(2)}");
        if (Goes(random, Services, key, network.RemoveService))
        {
            return;
        }

        var service = new V1Service
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = key.Namespace, Name = key.Name },
            Spec = new V1ServiceSpec
            {
                Type = random.Next(5) == 0 ? "ExternalName" : "ClusterIP",
                ClusterIPs = random.Next(3) switch { 0 => ["10.96.0.1"], 1 => ["10.96.0.1", "fd00:96::1"], _ => ["None"] },
                Ports = [new V1ServicePort { Name = "web", Port = 80 + random.Next(2) }, new V1ServicePort { Name = "dns", Port = 53, Protocol = "UDP" }],
                SessionAffinity = random.Next(3) == 0 ? "ClientIP" : null,
            },
        };
        Services[key] = service;
        network.Upsert(service);
    }

    private void Slice(Random random, LogicalNetwork network)
    {
        var key = new ObjectKey(Pick(random, Namespaces), $"e{random.Next(3)}");
        if (Goes(random, Slices, key, network.RemoveEndpointSlice))
        {
            return;
        }

        var slice = new V1EndpointSlice
        {
            Metadata = new V1ObjectMeta
            {
                NamespaceProperty = key.Namespace,
                Name = key.Name,
                Labels = random.Next(8) == 0 ? null : new() { ["kubernetes.io/service-name"] = $"s{random.Next(2)}" },
            },
            AddressType = random.Next(3) == 0 ? "IPv6" : "IPv4",
            Ports = [new V1EndpointPort { Name = "web", Port = 8080, Protocol = "TCP" }, new V1EndpointPort { Name = "dns", Port = 5353, Protocol = "UDP" }],
            Endpoints = Addresses.Where(_ => random.Next(4) == 0).Select(a => new V1Endpoint
            {
                Addresses = [a],
                NodeName = Pick(random, NodeNames),
                Conditions = new V1EndpointConditions { Ready = random.Next(3) > 0 },
            }).ToList(),
        };
        Slices[key] = slice;
        network.Upsert(slice);
    }

    private static V1NetworkPolicyPeer Peer(Random random) => random.Next(4) switch
    {
        0 => new V1NetworkPolicyPeer { PodSelector = Selector(random) },
        1 => new V1NetworkPolicyPeer { NamespaceSelector = Selector(random) },
        2 => new V1NetworkPolicyPeer { NamespaceSelector = Selector(random), PodSelector = Selector(random) },
        _ => new V1NetworkPolicyPeer { IpBlock = new V1IPBlock { Cidr = "10.0.0.0/29", Except = random.Next(2) == 0 ? null : ["10.0.0.4/30"] } },
    };

    private static V1NetworkPolicyPort Port(Random random) => new()
    {
        Protocol = random.Next(2) == 0 ? null : Pick(random, ProtocolNames),
        Port = random.Next(5) switch { 0 => null, 1 => "web", 2 => "dns", 3 => 81, _ => 80 },
        EndPort = null,
    };

    private static V1LabelSelector Selector(Random random)
    {
        var selector = new V1LabelSelector();
        for (var i = random.Next(3); i > 0; i--)
        {
            var key = Pick(random, Keys);
            if (random.Next(2) == 0)
            {
                (selector.MatchLabels ??= [])[key] = Pick(random, Values);
                continue;
            }

            var kind = random.Next(4);
            (selector.MatchExpressions ??= []).Add(new V1LabelSelectorRequirement
            {
                Key = key,
                OperatorProperty = kind switch { 0 => "In", 1 => "NotIn", 2 => "Exists", _ => "DoesNotExist" },
                Values = kind > 1 ? null : random.Next(2) == 0 ? [Pick(random, Values)] : [.. Values],
            });
        }

        return selector;
    }

    private static List<V1ContainerPort>? ContainerPorts(Random random) => random.Next(2) == 0 ? null :
    [
        new V1ContainerPort { Name = "web", ContainerPort = 80 + random.Next(2) },
        new V1ContainerPort { Name = "dns", ContainerPort = 53, Protocol = random.Next(2) == 0 ? "UDP" : "TCP" },
    ];

    private static Dictionary<string, string>? Labels(Random random)
    {
        var labels = Keys.Where(_ => random.Next(2) == 0).ToDictionary(k => k, _ => Pick(random, Values));
        return labels.Count == 0 ? null : labels;
    }

    private static List<T>? Some<T>(Random random, Func<T> make) => random.Next(3) switch
    {
        0 => null,
        1 => [make()],
        _ => [make(), make()],
    };

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
