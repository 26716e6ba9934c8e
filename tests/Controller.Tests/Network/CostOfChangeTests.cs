using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>The cost of a change is counted in objects computed: it must not grow with the cluster.</summary>
public sealed class CostOfChangeTests
{
    private static readonly (string Name, Action<LogicalNetwork> Change)[] Changes =
    [
        ("pod created", n => n.Upsert(Pod("ns-0", "extra", "web", "10.9.9.9"))),
        ("pod relabelled", n => n.Upsert(Pod("ns-0", "extra", "db", "10.9.9.9"))),
        ("pod given another address", n => n.Upsert(Pod("ns-0", "extra", "db", "10.9.9.8"))),
        ("policy changed", n => n.Upsert(Policy("ns-0", "np", "db"))),
        ("policy deleted", n => n.RemovePolicy(new ObjectKey("ns-0", "np"))),
        ("pod deleted", n => n.RemovePod(new ObjectKey("ns-0", "extra"))),
        ("endpoint changed", n => n.Upsert(Slice(2))),
        ("namespace relabelled", n => n.Upsert(Namespace("ns-0", "b"))),
    ];

    [Test]
    public void A_change_computes_the_same_number_of_objects_in_a_small_and_in_a_large_cluster()
    {
        var (small, large) = (Costs(namespaces: 10), Costs(namespaces: 1000));
        Assert.That(large, Is.EqualTo(small), string.Join(", ", Changes.Select(c => c.Name)));
        Assert.That(large, Has.All.LessThan(40));
    }

    [Test]
    public void A_change_concerns_only_the_nodes_that_have_it()
    {
        var network = Cluster(namespaces: 100);
        network.Upsert(Pod("ns-0", "extra", "web", "10.9.9.9"));
        Assert.That(network.Commit().Nodes, Is.EquivalentTo(new[] { "node-0", "node-1" }), "the pod's node, and the node of the pod whose policy names it");
        network.Upsert(Pod("ns-0", "extra", "web", "10.9.9.9"));
        Assert.That(network.Commit(), Is.EqualTo(CommittedChanges.None));
    }

    [Test]
    public void A_node_hears_of_a_pod_once_and_not_of_what_its_port_does_not_show()
    {
        var network = Tenants(networks: 1);
        List<string> Heard(params Action[] changes) => [.. changes.SelectMany(change =>
        {
            var before = network.Revision;
            change();
            network.Commit();
            var delta = network.Since("node-0", before)!;
            return delta.Upserts.Select(u => u.Id).Concat(delta.Deletes.Select(d => "-" + d.Id));
        })];
        Assert.That(Heard(() => network.Upsert(TenantPod(0, claimed: false))), Is.Empty, "it has no address yet");
        Assert.That(Heard(() => network.Upsert(TenantPod(0, claimed: true))), Does.Contain("t0/p"));
        Assert.That(Heard(() => network.Upsert(TenantPod(0, claimed: true, alias: "10.32.0.9"))), Is.Empty, "its alias is the node's own lease");
        Assert.That(Heard(() => network.Upsert(Pod("t9", "d", "web", ""))), Is.EqualTo(new[] { "t9/d" }), "a pod of the default network");
        Assert.That(Heard(() => network.Upsert(Pod("t9", "d", "web", "10.9.9.9"))), Is.Empty, "and so is its address");
        Assert.That(Heard(() => network.RemovePod(new ObjectKey("t9", "d")), () => network.RemovePod(new ObjectKey("t0", "p"))), Does.Contain("-t9/d").And.Contain("-t0/p"));
    }

    [Test]
    public void A_tenant_pod_costs_the_same_objects_and_statuses_among_10_networks_and_among_200()
    {
        var (few, many) = (CostsOfTenantPods(networks: 10), CostsOfTenantPods(networks: 200));
        Assert.That(many, Is.EqualTo(few), "objects computed, statuses computed, and whether keys are looked at: created, addressed, its Subnet's status told, deleted");
        Assert.That(many.Sum(c => c.Statuses), Is.LessThan(10));
        Assert.That(many.Any(c => c.Keys), Is.False, "no pod changes a key");
    }

    private static List<(long Objects, long Statuses, bool Keys)> CostsOfTenantPods(int networks)
    {
        var network = Tenants(networks);
        return [.. new Action[]
        {
            () => network.Upsert(TenantPod(0, claimed: false)),
            () => network.Upsert(TenantPod(0, claimed: true)),
            () => network.Upsert(Subnet(0, used: 2)),
            () => network.RemovePod(new ObjectKey("t0", "p")),
        }.Select(change =>
        {
            var (objects, statuses, keys) = (network.Work, network.Tenants.StatusesComputed, network.Tenants.KeysVersion);
            change();
            network.Commit();
            network.Tenants.TakeStatuses();
            return (network.Work - objects, network.Tenants.StatusesComputed - statuses, network.Tenants.KeysVersion != keys);
        })];
    }

    /// <summary>A Vpc with a Subnet for each namespace, and a pod in each but the first, all on one node that somebody follows.</summary>
    private static LogicalNetwork Tenants(int networks)
    {
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        network.Upsert(new V1Node { Metadata = new V1ObjectMeta { Name = "node-0" } });
        for (var i = 0; i < networks; i++)
        {
            network.Upsert(Namespace($"t{i}", "a"));
            network.Upsert(new V1Alpha1Vpc { Metadata = Metadata($"t{i}"), Spec = new V1Alpha1VpcSpec(), Status = new V1Alpha1VpcStatus { NetworkKey = 16 + i } });
            network.Upsert(Subnet(i, used: 0));
        }

        for (var i = 1; i < networks; i++)
        {
            network.Upsert(TenantPod(i, claimed: true));
        }

        network.Commit();
        network.Snapshot("node-0");
        network.Tenants.TakeStatuses();
        return network;
    }

    private static V1ObjectMeta Metadata(string name) => new() { Name = name, Uid = name, Generation = 1 };

    private static V1Alpha1Subnet Subnet(int i, int used) => new()
    {
        Metadata = Metadata($"t{i}"),
        Spec = new V1Alpha1SubnetSpec { Vpc = $"t{i}", Cidrs = ["10.0.0.0/24"], Namespaces = [$"t{i}"] },
        Status = new V1Alpha1SubnetStatus { Namespaces = [$"t{i}"], UsedIPs = used },
    };

    private static V1Pod TenantPod(int i, bool claimed, string? alias = null)
    {
        var pod = Pod($"t{i}", "p", "web", "");
        pod.Metadata.Uid = $"u{i}";
        pod.Metadata.ResourceVersion = "1";
        pod.Status = new V1PodStatus { Phase = "Pending", PodIP = alias, PodIPs = alias is null ? null : [new V1PodIP { Ip = alias }] };
        if (claimed)
        {
            pod.Metadata.Annotations = new() { [AddressClaim.Annotation] = new AddressClaim { Uid = $"u{i}", Term = 1, Subnet = $"t{i}", Addresses = ["10.0.0.2"] }.ToAnnotation() };
        }

        return pod;
    }

    private static long[] Costs(int namespaces)
    {
        var network = Cluster(namespaces);
        return Changes.Select(change =>
        {
            var before = network.Work;
            change.Change(network);
            network.Commit();
            return network.Work - before;
        }).ToArray();
    }

    /// <summary>In each namespace a web and a db pod on two nodes, a policy between them and one that looks into other namespaces.</summary>
    private static LogicalNetwork Cluster(int namespaces)
    {
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        for (var i = 0; i < namespaces; i++)
        {
            foreach (var node in new[] { $"node-{2 * i}", $"node-{(2 * i) + 1}" })
            {
                network.Upsert(new V1Node { Metadata = new V1ObjectMeta { Name = node } });
            }

            network.Upsert(Namespace($"ns-{i}", "a"));
            network.Upsert(Pod($"ns-{i}", "web", "web", $"10.0.{i / 256}.{i % 256}", $"node-{2 * i}"));
            network.Upsert(Pod($"ns-{i}", "db", "db", $"10.1.{i / 256}.{i % 256}", $"node-{(2 * i) + 1}"));
            network.Upsert(Policy($"ns-{i}", "np", "web"));
            network.Upsert(Policy($"ns-{i}", "other", $"only-{i}", new V1LabelSelector { MatchLabels = new() { ["group"] = $"g{i}" } }));
        }

        network.Upsert(new V1Service
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = "ns-0", Name = "s" },
            Spec = new V1ServiceSpec { ClusterIPs = ["10.96.0.1"], Ports = [new V1ServicePort { Name = "web", Port = 80 }] },
        });
        network.Upsert(Slice(1));
        network.Commit();
        foreach (var node in network.NodeNames.ToArray())
        {
            network.Snapshot(node);
        }

        return network;
    }

    private static V1Namespace Namespace(string name, string team) =>
        new() { Metadata = new V1ObjectMeta { Name = name, Labels = new() { ["kubernetes.io/metadata.name"] = name, ["team"] = team } } };

    private static V1Pod Pod(string ns, string name, string app, string ip, string node = "node-0") => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name, Uid = name, Labels = new() { ["app"] = app } },
        Spec = new V1PodSpec { NodeName = node },
        Status = new V1PodStatus { Phase = "Running", PodIPs = [new V1PodIP { Ip = ip }] },
    };

    private static V1NetworkPolicy Policy(string ns, string name, string from, V1LabelSelector? namespaces = null) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name },
        Spec = new V1NetworkPolicySpec
        {
            PodSelector = new V1LabelSelector { MatchLabels = new() { ["app"] = "db" } },
            Ingress =
            [
                new V1NetworkPolicyIngressRule
                {
                    FromProperty = [new V1NetworkPolicyPeer { NamespaceSelector = namespaces, PodSelector = new V1LabelSelector { MatchLabels = new() { ["app"] = from } } }],
                },
            ],
        },
    };

    private static V1EndpointSlice Slice(int last) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns-0", Name = "s-1", Labels = new() { ["kubernetes.io/service-name"] = "s" } },
        AddressType = "IPv4",
        Ports = [new V1EndpointPort { Name = "web", Port = 8080 }],
        Endpoints = [new V1Endpoint { Addresses = [$"10.0.0.{last}"] }],
    };
}
