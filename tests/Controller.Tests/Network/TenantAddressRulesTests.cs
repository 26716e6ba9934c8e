using Weft.Kubernetes;

namespace Weft.Controller.Tests.Network;

/// <summary>Which address a tenant's pod gets: any, one that it asks for, one of a list or a pool; and what it is told when it gets none.</summary>
public sealed class TenantAddressRulesTests
{
    private const string Ip = "weft.dev/ip";
    private const string PoolOf = "weft.dev/pool";
    private TenantWorld _world = null!;

    [SetUp]
    public void Begin() => _world = new TenantWorld().Namespace("s").Namespace("other").Vpc("v", 16);

    [Test]
    public void Gateways_and_excluded_ranges_are_not_given_but_an_excluded_address_is_for_who_asks()
    {
        _world.Subnet("s", "v", ["10.0.0.0/29", "fd00::/64"], s => (s.Gateways, s.ExcludeIPs) = (["10.0.0.2"], ["10.0.0.3..10.0.0.4", "fd00::1..fd00::f"]));
        Assert.That(_world.Pod("s", "any"), Is.EqualTo("10.0.0.1 fd00::10 subnet/s"), "the first address is a pod's where the gateway has another");
        Assert.That(_world.Pod("s", "next"), Is.EqualTo("10.0.0.5 fd00::11 subnet/s"));
        Assert.That(_world.Pod("s", "asks", annotations: (Ip, "10.0.0.3,fd00::5")), Is.EqualTo("10.0.0.3 fd00::5 subnet/s"));
        Assert.That(_world.Pod("s", "gateway", annotations: (Ip, "10.0.0.2")), Is.EqualTo("10.0.0.2 is not for pods of subnet s: it is a gateway"));
        Assert.That(_world.Pod("s", "broadcast", annotations: (Ip, "10.0.0.7")), Does.StartWith("10.0.0.7 is not an address that a pod can have"));
        Assert.That(_world.Pod("s", "stranger", annotations: (Ip, "10.9.0.7")), Does.StartWith("10.9.0.7 is not an address that a pod can have"));
        Assert.That(_world.Pod("s", "nonsense", annotations: (Ip, "ten")), Is.EqualTo("annotation weft.dev/ip has 'ten': it must be an address"));
        Assert.That(_world.Pod("s", "twice", annotations: (Ip, "10.0.0.3")), Is.EqualTo("10.0.0.3 is in use by pod s/asks in subnet s"));
    }

    [Test]
    public void A_list_is_by_ordinal_and_for_pods_without_one_whichever_is_free()
    {
        _world.Subnet("s", "v", ["10.0.0.0/24"]);
        (string, string) list = (Ip, "10.0.0.50;10.0.0.51");
        Assert.That(_world.Pod("s", "db-1", annotations: list), Is.EqualTo("10.0.0.51 subnet/s"));
        Assert.That(_world.Pod("s", "db-0", annotations: list), Is.EqualTo("10.0.0.50 subnet/s"));
        Assert.That(_world.Pod("s", "db-2", annotations: list), Is.EqualTo("annotation weft.dev/ip has 2 entries, none for ordinal 2: add one"));
        (string, string) others = (Ip, "10.0.0.50;10.0.0.60;10.0.0.61");
        Assert.That(_world.Pod("s", "web-x7k2", annotations: others), Is.EqualTo("10.0.0.60 subnet/s"));
        Assert.That(_world.Pod("s", "web-9ab3", annotations: others), Is.EqualTo("10.0.0.61 subnet/s"));
        Assert.That(_world.Pod("s", "web-p0qr", annotations: others), Is.EqualTo("10.0.0.50 is in use by pod s/db-0 in subnet s"));
    }

    [Test]
    public void A_pool_keeps_its_addresses_from_others_and_gives_them_by_ordinal_or_as_they_are_free()
    {
        _world.Subnet("s", "v", ["10.0.0.0/24"]).Pool("p", "s", ["10.0.0.1..10.0.0.3", "10.0.0.9"]).Pool("closed", "s", ["10.0.0.20"], "other").Pool("far", "s", ["10.7.0.1"]);
        (string, string) pool = (PoolOf, "p");
        Assert.That(_world.Pod("s", "any"), Is.EqualTo("10.0.0.4 subnet/s"), "what the pool has is kept");
        Assert.That(_world.Pod("s", "web-a", annotations: pool), Is.EqualTo("10.0.0.2 subnet/s"), "the gateway in the pool is not given");
        Assert.That(_world.Pod("s", "db-3", isOfStatefulSet: true, pool), Is.EqualTo("10.0.0.9 subnet/s"));
        Assert.That(_world.Pod("s", "db-4", isOfStatefulSet: true, pool), Is.EqualTo("AddressPool p has no free IPv4 address for this pod: make it larger"));
        Assert.That(_world.Pod("s", "web-b", annotations: pool), Is.EqualTo("10.0.0.3 subnet/s"));
        Assert.That(_world.Pod("s", "web-c", annotations: pool), Is.EqualTo("AddressPool p has no free IPv4 address for this pod: make it larger"));
        Assert.That(_world.Pod("s", "not-mine", annotations: (PoolOf, "closed")), Is.EqualTo("annotation weft.dev/pool: AddressPool closed is not for namespace s"));
        Assert.That(_world.Pod("s", "none", annotations: (PoolOf, "missing")), Is.EqualTo("annotation weft.dev/pool: Subnet s has no AddressPool missing"));
        Assert.That(_world.Condition("AddressPool", "p"), Does.StartWith("Ready=True Ready"));
        var status = _world.Status<V1Alpha1AddressPoolStatus>("p");
        Assert.That((status.UsedIPs, status.TotalIPs), Is.EqualTo((3, 4)));
        Assert.That(_world.Condition("AddressPool", "far"), Is.EqualTo("Ready=False OutsideSubnet: 10.7.0.1 is not within a range of Subnet s"));
        _world.Pool("orphan", "nobody", ["10.0.0.5"]);
        Assert.That(_world.Condition("AddressPool", "orphan"), Is.EqualTo("Ready=False SubnetMissing: Subnet nobody does not exist: create it"));
    }

    [Test]
    public void What_is_available_is_what_a_pod_that_asks_for_nothing_can_get()
    {
        // Six hosts, of which the gateway, two excluded (twice, and beyond the range) and one of a pool are not for everybody.
        _world.Subnet("s", "v", ["10.0.0.0/29"], s => s.ExcludeIPs = ["10.0.0.1..10.0.0.2", "10.0.0.2", "10.0.0.6..10.0.0.90"]).Pool("p", "s", ["10.0.0.5"]);
        string Available() => _world.Status<V1Alpha1SubnetStatus>("s").AvailableIPs!;
        Assert.That(Available(), Is.EqualTo("2"));
        Assert.That(_world.Pod("s", "a"), Is.EqualTo("10.0.0.3 subnet/s"));
        Assert.That(Available(), Is.EqualTo("1"));
        Assert.That(_world.Pod("s", "fixed", annotations: (Ip, "10.0.0.2")), Is.EqualTo("10.0.0.2 subnet/s"));
        Assert.That(Available(), Is.EqualTo("1"), "an excluded address that somebody asked for was not available before");
        Assert.That(_world.Condition("Subnet", "s", "AddressesAvailable"), Does.StartWith("AddressesAvailable=True"));
        Assert.That(_world.Pod("s", "b"), Is.EqualTo("10.0.0.4 subnet/s"));
        Assert.That(Available(), Is.EqualTo("0"));
        Assert.That(_world.Condition("Subnet", "s", "AddressesAvailable"), Does.StartWith("AddressesAvailable=False Exhausted: no IPv4 address is left"));
        Assert.That(_world.Pod("s", "c"), Does.StartWith("subnet s has no free IPv4 address"));
    }

    [Test]
    public void Of_an_IPv6_range_the_number_of_available_addresses_is_exact()
    {
        _world.Subnet("s", "v", ["fd00::/64"]);
        Assert.That(_world.Status<V1Alpha1SubnetStatus>("s").AvailableIPs, Is.EqualTo("18446744073709551614"), "two to the power of 64, less the routers' and the gateway's");
    }

    [Test]
    public void A_Subnet_with_ipam_Static_gives_only_what_is_asked_for()
    {
        _world.Subnet("s", "v", ["10.0.0.0/24"], s => s.Ipam = "Static").Pool("p", "s", ["10.0.0.8"]);
        Assert.That(_world.Pod("s", "any"), Does.StartWith("Subnet s gives no addresses by itself (ipam: Static): ask by annotation weft.dev/ip or weft.dev/pool"));
        Assert.That(_world.Pod("s", "asks", annotations: (Ip, "10.0.0.7")), Is.EqualTo("10.0.0.7 subnet/s"));
        Assert.That(_world.Pod("s", "pooled", annotations: (PoolOf, "p")), Is.EqualTo("10.0.0.8 subnet/s"));
    }

    [Test]
    public void A_pod_may_ask_for_another_Subnet_of_its_Vpc_and_for_a_MAC_that_nobody_has()
    {
        _world.Vpc("w", 17).Subnet("s", "v", ["10.0.0.0/24"]).Subnet("front", "v", ["10.1.0.0/24"]).Subnet("theirs", "w", ["10.2.0.0/24"]);
        Assert.That(_world.Pod("s", "a", annotations: [("weft.dev/subnet", "front"), ("weft.dev/mac", "02:00:00:00:00:AA")]), Is.EqualTo("10.1.0.2 subnet/front"));
        Assert.That(_world.MacOf("s/a"), Is.EqualTo("02:00:00:00:00:aa"));
        Assert.That(_world.Pod("s", "b", annotations: ("weft.dev/subnet", "theirs")), Is.EqualTo("annotation weft.dev/subnet: Vpc v has no Subnet theirs"));
        Assert.That(_world.Pod("s", "c", annotations: ("weft.dev/mac", "02:00:00:00:00:aa")), Does.StartWith("annotation weft.dev/mac: pod s/a has 02:00:00:00:00:aa"));
        Assert.That(_world.Pod("s", "d", annotations: ("weft.dev/mac", "03:00:00:00:00:aa")), Does.Contain("it must be a unicast MAC address"));
        Assert.That(_world.Pod("s", "e", annotations: ("weft.dev/mac", "2:0:0:0:0:1")), Does.Contain("it must be a unicast MAC address"));
    }

    [Test]
    public void Quotas_of_ports_and_addresses_are_the_whole_Vpc_s()
    {
        _world.Vpc("v", 16, new V1Alpha1VpcSpec { Quota = new V1Alpha1Quota { Ports = 2 } }).Subnet("s", "v", ["10.0.0.0/24"]).Subnet("other", "v", ["10.1.0.0/24", "fd00::/64"]);
        Assert.That(_world.Pod("s", "a"), Is.EqualTo("10.0.0.2 subnet/s"));
        Assert.That(_world.Pod("other", "b"), Is.EqualTo("10.1.0.2 fd00::2 subnet/other"));
        Assert.That(_world.Pod("s", "c"), Is.EqualTo("the quota of Vpc v is reached: 2 ports (spec.quota.ports)"));
        _world.Vpc("v", 16, new V1Alpha1VpcSpec { Quota = new V1Alpha1Quota { Addresses = 4 } });
        Assert.That(_world.Pod("other", "d"), Is.EqualTo("the quota of Vpc v is reached: 3 of 4 addresses are given (spec.quota.addresses)"));
        Assert.That(_world.StateOf("s/c"), Is.EqualTo("10.0.0.3 subnet/s"), "a pod that waited has what is allowed now");
        var status = _world.Status<V1Alpha1VpcStatus>("v");
        Assert.That((status.Ports, status.Addresses, status.Nodes), Is.EqualTo((3, 4, 1)));
    }
}
