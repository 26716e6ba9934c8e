using Weft.Agent.Plan.Services;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Plan.Services;

/// <summary>The rules are kube-proxy's: pkg/proxy/topology.go of Kubernetes 1.34, and "Topology Aware Routing", "Traffic distribution" of its documentation.</summary>
public sealed class EndpointChoiceTests
{
    private static readonly Endpoint HereEast = At("10.0.1.1", "node1", zones: ["east"]);
    private static readonly Endpoint ThereEast = At("10.0.2.1", "node2", zones: ["east"]);
    private static readonly Endpoint ThereWest = At("10.0.3.1", "node3", zones: ["west"]);

    [Test]
    public void Without_hints_every_ready_endpoint_is_used() =>
        Assert.That(Chosen([At("10.0.1.1", "node1"), At("10.0.2.1", "node2"), At("192.0.2.1", node: null)]), Is.EqualTo(["10.0.1.1", "10.0.2.1", "192.0.2.1"]));

    [Test]
    public void A_zone_s_endpoints_are_used_when_every_endpoint_has_hints()
    {
        Assert.That(Chosen([HereEast, ThereEast, ThereWest], zone: "east"), Is.EqualTo(["10.0.1.1", "10.0.2.1"]));
        Assert.That(Chosen([HereEast, ThereEast, ThereWest], zone: "west"), Is.EqualTo(["10.0.3.1"]));
    }

    [Test]
    public void Hints_do_not_count_when_one_endpoint_has_none_or_none_is_for_the_zone_or_the_node_has_no_zone()
    {
        Assert.That(Chosen([HereEast, ThereWest, At("10.0.9.1", "node4")], zone: "east"), Has.Length.EqualTo(3));
        Assert.That(Chosen([HereEast, ThereWest], zone: "north"), Has.Length.EqualTo(2));
        Assert.That(Chosen([HereEast, ThereWest], zone: null), Has.Length.EqualTo(2));
    }

    [Test]
    public void An_endpoint_that_is_not_ready_needs_no_hints() =>
        Assert.That(Chosen([HereEast, ThereWest, At("10.0.9.1", "node4") with { Ready = false, Serving = false }], zone: "west"), Is.EqualTo(["10.0.3.1"]));

    [Test]
    public void The_node_s_own_endpoint_is_preferred_to_its_zone_s_and_the_zone_s_to_the_others()
    {
        Endpoint[] all = [HereEast with { ForNodes = ["node1"] }, ThereEast with { ForNodes = ["node2"] }, ThereWest with { ForNodes = ["node3"] }];

        Assert.That(Chosen(all, zone: "east"), Is.EqualTo(["10.0.1.1"]), "PreferSameNode");
        Assert.That(Chosen(all[1..], zone: "east"), Is.EqualTo(["10.0.2.1"]), "none here: as PreferSameZone");
        Assert.That(Chosen(all[2..], zone: "east"), Is.EqualTo(["10.0.3.1"]), "none near: all");
    }

    [Test]
    public void A_local_policy_takes_the_node_s_endpoints_whatever_their_hints_say()
    {
        Endpoint[] all = [HereEast, At("10.0.1.2", "node1", zones: ["west"]), ThereWest];

        Assert.That(Chosen(all, zone: "east", localOnly: true), Is.EqualTo(["10.0.1.1", "10.0.1.2"]));
    }

    [Test]
    public void Ending_endpoints_are_used_only_when_no_other_is_ready_and_never_when_they_stopped_serving()
    {
        var ending = ThereEast with { Ready = false, Terminating = true };
        var dead = ThereWest with { Ready = false, Serving = false, Terminating = true };

        Assert.That(Chosen([HereEast, ending, dead]), Is.EqualTo(["10.0.1.1"]));
        Assert.That(Chosen([ending, dead], zone: "west"), Is.EqualTo(["10.0.2.1"]));
        Assert.That(Chosen([HereEast, ending], localOnly: true, node: "node2"), Is.EqualTo(["10.0.2.1"]), "of this node, although another one's is ready");
        Assert.That(Chosen([dead]), Is.Empty);
    }

    private static string[] Chosen(Endpoint[] all, string? zone = null, bool localOnly = false, string node = "node1") =>
        [.. EndpointChoice.For(all, node, zone, localOnly).Select(e => e.Address)];

    private static Endpoint At(string address, string? node, string[]? zones = null) => new() { Address = address, Port = 80, Node = node, ForZones = [.. zones ?? []] };
}
