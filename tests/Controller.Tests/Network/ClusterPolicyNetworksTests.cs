using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>Cluster-wide policies select pods whatever their network is; their peers are pods of the same network.</summary>
public sealed class ClusterPolicyNetworksTests
{
    private const int Tenant = 16;

    [Test]
    public void Pods_of_a_tenant_have_rules_of_their_own_with_peers_of_their_network_alone()
    {
        var network = Start();
        network.Upsert(Policy());
        network.Upsert(Pod("red", "a", "10.0.0.2", tenant: true));
        network.Upsert(Pod("blue", "b", "10.244.1.2", tenant: false));
        network.Commit();
        var slice = network.Snapshot("n1");
        var policy = slice.OfType<Policy>().Single();
        Assert.That(policy.Rules.Select(r => (r.NetworkKey, r.Index, r.Action)), Is.EqualTo(new[]
        {
            (0, 0, RuleAction.Deny), (0, 1, RuleAction.Allow), (Tenant, 0, RuleAction.Deny), (Tenant, 1, RuleAction.Allow),
        }));
        Assert.That(PeersOf(slice, policy.Rules[0]), Is.EqualTo(new[] { "10.244.1.2" }));
        Assert.That(PeersOf(slice, policy.Rules[2]), Is.EqualTo(new[] { "10.0.0.2" }));
        Assert.That(slice.OfType<PortSet>().Single(s => s.Id == policy.AppliedTo).Ports, Is.EquivalentTo(new[] { "red/a", "blue/b" }));

        network.RemovePod(new ObjectKey("red", "a"));
        network.Commit();
        Assert.That(network.Snapshot("n1").OfType<Policy>().Single().Rules.Select(r => r.NetworkKey), Is.EqualTo(new[] { 0, 0 }));
    }

    [Test]
    public void A_policy_of_v1alpha1_may_have_a_hundred_rules_a_direction_and_one_of_v1alpha2_twenty_five()
    {
        List<ClusterPolicyRule> Rules(int count, string action) =>
            [.. Enumerable.Range(0, count).Select(_ => new ClusterPolicyRule { Action = action, FromProperty = [new ClusterPolicyPeer { Namespaces = new V1LabelSelector() }] })];
        ClusterPolicySpec Spec(int count, string action) =>
            new() { Tier = "Admin", Priority = 1, Subject = new ClusterPolicyPeer { Namespaces = new V1LabelSelector() }, Ingress = Rules(count, action) };
        var network = Start();
        var metadata = new V1ObjectMeta { Name = "default" };
        Assert.That(network.Upsert(new V1Alpha1AdminNetworkPolicy { Metadata = metadata, Spec = Spec(100, "Allow") }), Is.Empty);
        Assert.That(network.Upsert(new V1Alpha1BaselineAdminNetworkPolicy { Metadata = metadata, Spec = Spec(100, "Deny") }), Is.Empty);
        Assert.That(network.Upsert(new V1Alpha2ClusterNetworkPolicy { Metadata = metadata, Spec = Spec(25, "Accept") }), Is.Empty);
        Assert.That(() => network.Upsert(new V1Alpha1AdminNetworkPolicy { Metadata = metadata, Spec = Spec(101, "Allow") }), Throws.TypeOf<InvalidObjectException>().With.Message.Contains("at most 100"));
        Assert.That(() => network.Upsert(new V1Alpha2ClusterNetworkPolicy { Metadata = metadata, Spec = Spec(26, "Accept") }), Throws.TypeOf<InvalidObjectException>().With.Message.Contains("at most 25"));
    }

    [TestCase("*.Example.com.", null)]
    [TestCase("www.example.com", null)]
    [TestCase("com", "it must be a name of two labels or more")]
    [TestCase("*", "it must be a name of two labels or more")]
    [TestCase("a.*.com", "it must be a name of two labels or more")]
    public void Domain_names_are_those_of_the_API(string name, string? problem)
    {
        var network = Start();
        var problems = network.Upsert(new V1Alpha2ClusterNetworkPolicy
        {
            Metadata = new V1ObjectMeta { Name = "p" },
            Spec = new ClusterPolicySpec
            {
                Tier = "Admin", Priority = 1, Subject = new ClusterPolicyPeer { Namespaces = new V1LabelSelector() },
                Egress = [new ClusterPolicyRule { Action = "Accept", To = [new ClusterPolicyPeer { DomainNames = [name] }] }],
            },
        });
        network.Upsert(Pod("blue", "b", "10.244.1.2", tenant: false));
        network.Commit();
        Assert.That(problems, problem is null ? Is.Empty : Has.Some.Contains(problem));
        var rule = network.Snapshot("n1").OfType<Policy>().Single().Rules.Single();
        Assert.That(rule.AnyPeer, Is.False);
        Assert.That(rule.DomainNames, problem is null ? Is.EqualTo(new[] { name.TrimEnd('.').ToLowerInvariant() }) : Is.Empty);
    }

    private static string[] PeersOf(IReadOnlyCollection<TopologyItem> slice, PolicyRule rule) =>
        [.. slice.OfType<AddressSet>().Where(s => rule.PeerSets.Contains(s.Id)).SelectMany(s => s.Addresses)];

    private static LogicalNetwork Start()
    {
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        network.Upsert(new V1Node
        {
            Metadata = new V1ObjectMeta { Name = "n1" },
            Spec = new V1NodeSpec { PodCIDRs = ["10.244.1.0/24"] },
            Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "172.30.0.1" }] },
        });
        foreach (var name in new[] { "red", "blue" })
        {
            network.Upsert(new V1Namespace { Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["team"] = "any" } } });
        }

        network.Upsert(new V1Alpha1Vpc { Metadata = new V1ObjectMeta { Name = "v", Uid = "v" }, Spec = new V1Alpha1VpcSpec { Namespaces = ["red"] }, Status = new V1Alpha1VpcStatus { NetworkKey = Tenant } });
        network.Upsert(new V1Alpha1Subnet { Metadata = new V1ObjectMeta { Name = "s" }, Spec = new V1Alpha1SubnetSpec { Vpc = "v", Cidrs = ["10.0.0.0/28"], Namespaces = ["red"] } });
        return network;
    }

    private static V1Alpha2ClusterNetworkPolicy Policy() => new()
    {
        Metadata = new V1ObjectMeta { Name = "p" },
        Spec = new ClusterPolicySpec
        {
            Tier = "Admin", Priority = 3, Subject = new ClusterPolicyPeer { Namespaces = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["team"] = "any" } } },
            Ingress =
            [
                new ClusterPolicyRule { Action = "Deny", FromProperty = [new ClusterPolicyPeer { Namespaces = new V1LabelSelector() }] },
                new ClusterPolicyRule { Action = "Accept", FromProperty = [new ClusterPolicyPeer { Networks = ["10.0.0.0/8"] }] },
            ],
        },
    };

    private static V1Pod Pod(string ns, string name, string address, bool tenant) => new()
    {
        Metadata = new V1ObjectMeta
        {
            NamespaceProperty = ns, Name = name, Uid = name, CreationTimestamp = DateTimeOffset.UnixEpoch,
            Annotations = tenant ? new Dictionary<string, string> { [AddressClaim.Annotation] = new AddressClaim { Uid = name, Term = 1, Subnet = "s", Addresses = [address] }.ToAnnotation() } : null,
        },
        Spec = new V1PodSpec { NodeName = "n1", Containers = [new V1Container()] },
        Status = new V1PodStatus { Phase = "Running", PodIPs = [new V1PodIP { Ip = address }] },
    };
}
