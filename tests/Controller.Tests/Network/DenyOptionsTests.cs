using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>Annotations that ask for an answer or a line in the log where something is denied.</summary>
public sealed class DenyOptionsTests
{
    private LogicalNetwork _network = null!;

    [SetUp]
    public void Empty() => _network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });

    [Test]
    public void A_namespace_says_it_for_policies_that_say_nothing_themselves()
    {
        Namespace(("weft.dev/deny-action", "reject"), ("weft.dev/log-denied", "true"));
        Pod();
        Assert.That(_network.Upsert(Policy("silent")), Is.Empty);
        Assert.That(_network.Upsert(Policy("own", ("weft.dev/deny-action", "drop"), ("weft.dev/log-denied", "false"))), Is.Empty);
        Assert.That(Told("silent"), Is.EqualTo((true, true)));
        Assert.That(Told("own"), Is.EqualTo((false, false)));
    }

    [Test]
    public void Policies_of_a_namespace_whose_annotations_change_are_told_again()
    {
        Namespace();
        Pod();
        _network.Upsert(Policy("silent"));
        Assert.That(_network.TakePoliciesToTellAgain(), Is.Empty);
        Namespace(("weft.dev/deny-action", "reject"));
        Assert.That(_network.TakePoliciesToTellAgain().Select(k => $"{k}"), Is.EqualTo(new[] { "a/silent" }));
        _network.Upsert(Policy("silent"));
        Assert.That(Told("silent"), Is.EqualTo((true, false)));
        Namespace(("weft.dev/deny-action", "reject"));
        Assert.That(_network.TakePoliciesToTellAgain(), Is.Empty, "the same again");
    }

    [Test]
    public void A_value_that_means_nothing_is_named_and_passed_over()
    {
        Namespace();
        Pod();
        Assert.That(_network.Upsert(Policy("wrong", ("weft.dev/deny-action", "explode"))), Has.One.EqualTo("metadata.annotations[weft.dev/deny-action] is 'explode': it must be reject or drop; it is passed over"));
        Assert.That(Told("wrong"), Is.EqualTo((false, false)));
    }

    [TestCase("reject", RuleAction.Reject)]
    [TestCase("drop", RuleAction.Deny)]
    [TestCase(null, RuleAction.Deny)]
    public void Denying_rules_of_a_cluster_wide_policy_reject_when_it_asks_for_that(string? action, RuleAction expected)
    {
        Namespace();
        Pod();
        var policy = new V1Alpha2ClusterNetworkPolicy
        {
            Metadata = Metadata("c", null, action is null ? [] : [("weft.dev/deny-action", action)]),
            Spec = new ClusterPolicySpec
            {
                Tier = "Admin",
                Priority = 1,
                Subject = new ClusterPolicyPeer { Namespaces = new V1LabelSelector() },
                Ingress = [new ClusterPolicyRule { Action = "Deny", FromProperty = [new ClusterPolicyPeer { Namespaces = new V1LabelSelector() }] }],
            },
        };
        Assert.That(_network.Upsert(policy), Is.Empty);
        _network.Commit();
        Assert.That(_network.Snapshot("node1").OfType<Policy>().Single().Rules.Single().Action, Is.EqualTo(expected));
    }

    private (bool Reject, bool Log) Told(string name)
    {
        _network.Commit();
        var policy = _network.Snapshot("node1").OfType<Policy>().Single(p => p.Id == $"NetworkPolicy/a/{name}");
        return (policy.RejectIsolated, policy.LogDrops);
    }

    private void Namespace(params (string, string)[] annotations) => _network.Upsert(new V1Namespace { Metadata = Metadata("a", null, annotations) });

    private void Pod()
    {
        _network.Upsert(new V1Node { Metadata = Metadata("node1", null, []), Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "172.30.0.1" }] } });
        _network.Upsert(new V1Pod
        {
            Metadata = Metadata("p", "a", []),
            Spec = new V1PodSpec { NodeName = "node1" },
            Status = new V1PodStatus { Phase = "Running", PodIPs = [new V1PodIP { Ip = "10.0.0.1" }] },
        });
    }

    private static V1NetworkPolicy Policy(string name, params (string, string)[] annotations) => new()
    {
        Metadata = Metadata(name, "a", annotations), Spec = new V1NetworkPolicySpec { PodSelector = new V1LabelSelector(), PolicyTypes = ["Ingress"] },
    };

    private static V1ObjectMeta Metadata(string name, string? ns, (string Key, string Value)[] annotations) =>
        new() { Name = name, NamespaceProperty = ns, Uid = name, Annotations = annotations.ToDictionary(a => a.Key, a => a.Value) };
}
