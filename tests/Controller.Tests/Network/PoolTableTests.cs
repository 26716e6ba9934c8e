using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Controller.Network.LoadBalancers;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>Load balancers' addresses from own pools: each given once, kept by the status alone, and announced by one ready node.</summary>
public sealed class PoolTableTests
{
    [Test]
    public void Addresses_are_given_once_and_a_full_pool_says_so()
    {
        var table = Pool("192.0.2.10-192.0.2.11");
        for (var i = 0; i < 3; i++)
        {
            table.Take(new ObjectKey("a", $"s{i}"), Balancer($"s{i}"));
        }

        var decisions = table.Decide(10);
        Assert.That(decisions.SelectMany(d => d.Addresses), Is.EqualTo(new[] { "192.0.2.10", "192.0.2.11" }));
        Assert.That(decisions[2].Problem, Does.Contain("no pool has a free IPv4 address"));
        Assert.That(table.Decide(10), Is.Empty, "what was decided is not asked for again");
    }

    [Test]
    public void A_new_controller_gives_nobodys_address_and_one_that_comes_free_goes_to_who_waits()
    {
        var table = Pool("192.0.2.10-192.0.2.10");
        table.Take(new ObjectKey("a", "new"), Balancer("new"));
        table.Take(new ObjectKey("a", "old"), Balancer("old", "192.0.2.10"));
        Assert.That(table.Decide(10).Single().Problem, Is.Not.Null);

        table.Take(new ObjectKey("a", "old"), null);
        Assert.That(table.Decide(10).Single().Addresses, Is.EqualTo(new[] { "192.0.2.10" }));
    }

    [Test]
    public void What_others_serve_is_left_alone_and_what_is_no_load_balancer_any_more_gives_its_address_back()
    {
        var table = Pool("192.0.2.10-192.0.2.20");
        table.Take(new ObjectKey("a", "cloud"), Balancer("cloud", "203.0.113.1"));
        var classy = Balancer("classy");
        classy.Spec!.LoadBalancerClass = "example.com/other";
        table.Take(new ObjectKey("a", "classy"), classy);
        var former = Balancer("former", "192.0.2.12");
        former.Spec!.Type = "ClusterIP";
        table.Take(new ObjectKey("a", "former"), former);

        var decision = table.Decide(10).Single();
        Assert.That((decision.Service.Metadata.Name, decision.Addresses.Count), Is.EqualTo(("former", 0)));
    }

    [Test]
    public void Of_two_Services_with_one_address_the_second_gets_another()
    {
        var table = Pool("192.0.2.10-192.0.2.20");
        table.Take(new ObjectKey("a", "first"), Balancer("first", "192.0.2.10"));
        table.Take(new ObjectKey("a", "second"), Balancer("second", "192.0.2.10"));
        var decision = table.Decide(10).Single();
        Assert.That((decision.Service.Metadata.Name, string.Join(',', decision.Addresses)), Is.EqualTo(("second", "192.0.2.11")));
    }

    [Test]
    public void One_ready_node_announces_and_another_takes_over_when_it_is_not_ready_any_more()
    {
        var network = Network();
        network.Upsert(Node("n1", ready: true));
        network.Upsert(Node("n2", ready: true));
        network.Upsert(Balancer("s", "192.0.2.10"));
        network.Commit();
        var first = Announcer(network);
        Assert.That(first, Is.EqualTo("n1").Or.EqualTo("n2"));

        network.Upsert(Node(first!, ready: false));
        network.Commit();
        var second = Announcer(network);
        Assert.That(second, Is.EqualTo(first == "n1" ? "n2" : "n1"));

        network.Upsert(Node(second!, ready: false));
        network.Commit();
        Assert.That(Announcer(network), Is.Null, "nobody can");
        network.Upsert(Node(first!, ready: true));
        network.Commit();
        Assert.That(Announcer(network), Is.EqualTo(first));
    }

    [Test]
    public void With_policy_Local_only_a_node_with_a_ready_endpoint_announces()
    {
        var network = Network();
        for (var i = 1; i <= 8; i++)
        {
            network.Upsert(Node($"n{i}", ready: true));
        }

        var service = Balancer("s", "192.0.2.10");
        service.Spec!.ExternalTrafficPolicy = "Local";
        network.Upsert(service);
        network.Commit();
        Assert.That(Announcer(network), Is.Null, "there is no endpoint");

        network.Upsert(new V1EndpointSlice
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = "a", Name = "s-1", Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "s" } },
            AddressType = "IPv4",
            Endpoints = [new V1Endpoint { Addresses = ["10.244.5.9"], NodeName = "n5" }],
            Ports = [new V1EndpointPort { Port = 80, Protocol = "TCP" }],
        });
        network.Commit();
        Assert.That(Announcer(network), Is.EqualTo("n5"));
    }

    private static string? Announcer(LogicalNetwork network) => network.View.LoadBalancers.Single().Balancer.Announcer;

    private static LogicalNetwork Network() =>
        new(new ClusterSettings { Id = ClusterSettings.TheId }, null, [AddressRange.TryParse("192.0.2.0/24", out var range) ? range : default]);

    private static PoolTable Pool(string range) => new([AddressRange.TryParse(range, out var parsed) ? parsed : default]);

    private static V1Node Node(string name, bool ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = ready ? "True" : "Unknown" }] },
    };

    private static V1Service Balancer(string name, string? address = null) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "a", Name = name, ResourceVersion = "1" },
        Spec = new V1ServiceSpec { Type = "LoadBalancer", ClusterIP = "10.96.0.9", Ports = [new V1ServicePort { Port = 80, Protocol = "TCP" }] },
        Status = address is null ? null : new V1ServiceStatus { LoadBalancer = new V1LoadBalancerStatus { Ingress = [new V1LoadBalancerIngress { Ip = address }] } },
    };
}
