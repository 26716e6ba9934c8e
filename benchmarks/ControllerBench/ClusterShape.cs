using Weft.Kubernetes;

namespace Weft.Bench.ControllerBench;

/// <summary>The clusters of Antrea's own benchmark (networkpolicy_controller_perf_test.go), as objects that come from an API server.</summary>
/// <remarks>Pods sit on random nodes of 1,000 and have random addresses, with a fixed seed. Each enumeration makes its objects anew.</remarks>
internal sealed class ClusterShape(int namespaces, Func<ClusterShape, string, IEnumerable<V1Pod>> pods, Func<ClusterShape, string, IEnumerable<V1NetworkPolicy>> policies)
{
    public const int NodeCount = 1000;

    private readonly Random _random = new(7);
    private int _address;

    /// <summary>a) Many small namespaces: four pods, a default deny, and two policies for half of the pods each.</summary>
    public static ClusterShape SmallNamespaces(int namespaces) => new(
        namespaces,
        (shape, ns) => Enumerable.Range(0, 4).Select(i => shape.Pod(ns, $"pod-{i}", i < 2 ? "app-1" : "app-2", i < 2 ? "scale-1" : "scale-2")),
        (_, ns) => [DefaultDeny(ns), Policy(ns, "np-1", "app-1", "scale-1"), Policy(ns, "np-2", "app-2", "scale-2")]);

    /// <summary>b) One namespace where every policy selects and allows every pod.</summary>
    public static ClusterShape OneNamespace(int size) => new(
        1,
        (shape, ns) => Enumerable.Range(0, size).Select(i => shape.Pod(ns, $"pod-{i}", "app-1", "scale-1")),
        (_, ns) => Enumerable.Range(0, size).Select(i => Policy(ns, $"np-{i}", "app-1", "scale-1")));

    /// <summary>c) Large namespaces: a thousand pods in groups of ten, a policy per group, and a default deny.</summary>
    public static ClusterShape LargeNamespaces(int namespaces) => new(
        namespaces,
        (shape, ns) => Enumerable.Range(0, 1000).Select(i => shape.Pod(ns, $"pod-{i}", $"app-{i / 10}", $"scale-{i / 10}")),
        (_, ns) => Enumerable.Range(0, 100).Select(i => Policy(ns, $"np-{i}", $"app-{i}", $"scale-{i}")).Prepend(DefaultDeny(ns)));

    public IEnumerable<V1Node> Nodes => Enumerable.Range(0, NodeCount).Select(i => new V1Node
    {
        Metadata = new V1ObjectMeta { Name = $"node-{i}" },
        Spec = new V1NodeSpec { PodCIDRs = [$"10.{i / 256}.{i % 256}.0/24"] },
        Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = $"172.16.{i / 256}.{i % 256}" }] },
    });

    public IEnumerable<V1Namespace> Namespaces => Names.Select(ns => new V1Namespace
    {
        Metadata = new V1ObjectMeta { Name = ns, Labels = new() { ["kubernetes.io/metadata.name"] = ns } },
    });

    public IEnumerable<V1Pod> Pods => Names.SelectMany(ns => pods(this, ns));

    public IEnumerable<V1NetworkPolicy> Policies => Names.SelectMany(ns => policies(this, ns));

    public static V1NetworkPolicy Policy(string ns, string name, string key, string value) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name },
        Spec = new V1NetworkPolicySpec
        {
            PodSelector = new V1LabelSelector { MatchLabels = new() { [key] = value } },
            PolicyTypes = ["Ingress", "Egress"],
            Ingress = [new V1NetworkPolicyIngressRule { FromProperty = [new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = new() { [key] = value } } }] }],
        },
    };

    public V1Pod Pod(string ns, string name, string key, string value)
    {
        var address = ++_address;
        return new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                NamespaceProperty = ns,
                Name = name,
                Uid = new Guid(address, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString(),
                Labels = new() { [key] = value },
            },
            Spec = new V1PodSpec { NodeName = $"node-{_random.Next(NodeCount)}" },
            Status = new V1PodStatus { Phase = "Running", PodIPs = [new V1PodIP { Ip = $"{(address >> 24) + 10}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}" }] },
        };
    }

    private IEnumerable<string> Names => Enumerable.Range(0, namespaces).Select(i => $"ns-{i}");

    private static V1NetworkPolicy DefaultDeny(string ns) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = "default-deny-all" },
        Spec = new V1NetworkPolicySpec { PodSelector = new V1LabelSelector(), PolicyTypes = ["Ingress", "Egress"] },
    };
}
