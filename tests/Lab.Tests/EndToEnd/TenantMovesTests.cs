using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What administrators do to tenants while pods run, with stock kubectl: each move works, or an object says why not.</summary>
public sealed class TenantMovesTests
{
    private const string Group = "/apis/weft.dev/v1alpha1/";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("tmv", nodes: 1);

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task A_quota_holds_pods_back_and_says_so_until_there_is_room()
    {
        await _lab.TenantAsync("quota", "10.1.0.0/24");
        await _lab.KubectlAsync("patch", "vpc", "quota", "--type=merge", "-p", """{"spec":{"quota":{"ports":2}}}""");
        await PodAsync("quota", "one");
        await PodAsync("quota", "two");
        await ReadyAsync("quota", "one");
        await ReadyAsync("quota", "two");
        await PodAsync("quota", "three");
        await RefusedAsync("quota", "three", "the quota of Vpc quota is reached: 2 ports (spec.quota.ports)");
        await _lab.DeleteTenantPodAsync("quota", "one");
        await ReadyAsync("quota", "three");

        await _lab.KubectlAsync("patch", "vpc", "quota", "--type=merge", "-p", """{"spec":{"quota":{"ports":null,"addresses":2}}}""");
        await PodAsync("quota", "four");
        await RefusedAsync("quota", "four", "2 of 2 addresses are given (spec.quota.addresses)");
        await _lab.KubectlAsync("patch", "vpc", "quota", "--type=merge", "-p", """{"spec":{"quota":null}}""");
        await ReadyAsync("quota", "four");
    }

    [Test]
    public async Task A_full_Subnet_says_so_and_goes_on_with_another_range()
    {
        await _lab.TenantAsync("full", "10.2.0.0/30");
        await PodAsync("full", "first");
        var first = await ReadyAsync("full", "first");
        await ConditionAsync("subnets", "full", "AddressesAvailable", "False", "Exhausted");
        await PodAsync("full", "second");
        await RefusedAsync("full", "second", "has no free IPv4 address");
        await _lab.KubectlAsync("patch", "subnet", "full", "--type=merge", "-p", """{"spec":{"cidrs":["10.2.0.0/30","10.2.8.0/24"]}}""");
        await ConditionAsync("subnets", "full", "AddressesAvailable", "True", "Available");
        var second = await ReadyAsync("full", "second");
        var shown = await TestLab.InAsync(second.Netns!, "ip", "-o", "-4", "addr", "show", "dev", "eth0");
        Assert.That(shown, Does.Contain(" 10.2.8."), "an address of the new range");
        await Eventually.True("pods of both ranges reach each other", async () =>
            (await new NetnsProbe(second.Netns!).PingAsync(IPAddress.Parse("10.2.0.2"), timeout: TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, Soon);
        Assert.That(await TestLab.InAsync(first.Netns!, "ip", "-o", "-4", "addr", "show", "dev", "eth0"), Does.Contain(" 10.2.0.2/"), "the old pod has what it had");
    }

    [Test]
    public async Task A_namespace_that_is_bound_while_pods_run_keeps_them_where_they_are_and_says_so()
    {
        await _lab.CreateAsync("/api/v1/namespaces", TenantLab.Json("v1", "Namespace", "late", null));
        await PodAsync("late", "old");
        var old = await ReadyAsync("late", "old");
        var neighbour = await _lab.PodAsync("node1");
        await _lab.CreateAsync(Group + "vpcs", TenantLab.Json("weft.dev/v1alpha1", "Vpc", "late", []));
        await _lab.CreateAsync(Group + "subnets", """{"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"late"},"spec":{"vpc":"late","cidrs":["10.3.0.0/24"],"namespaces":["late"]}}""");
        await ConditionAsync("subnets", "late", "PodsElsewhere", "True", "RanBefore", "late/old");
        Assert.That((await neighbour.Probe.PingAsync(old.Addresses[0])).Outcome, Is.EqualTo(ProbeOutcome.Connected), "it is still in the default network");

        await PodAsync("late", "new");
        var pod = await ReadyAsync("late", "new");
        Assert.That(await TestLab.InAsync(pod.Netns!, "ip", "-o", "-4", "addr", "show", "dev", "eth0"), Does.Contain(" 10.3.0."), "a new pod is in the tenant's network");
        await _lab.DeleteTenantPodAsync("late", "old");
        await ConditionAsync("subnets", "late", "PodsElsewhere", "False", "None");
        await PodAsync("late", "old");
        await ReadyAsync("late", "old");

        // A Vpc that is in use stays, says by whom, and goes with its last pod.
        await _lab.KubectlAsync("delete", "vpc/late", "subnet/late", "--wait=false");
        await ConditionAsync("vpcs", "late", "Ready", "False", "InUse", "late/new");
        await ConditionAsync("subnets", "late", "Ready", "False", "InUse", "late/old");
        await _lab.DeleteTenantPodAsync("late", "old");
        await _lab.DeleteTenantPodAsync("late", "new");
        await _lab.KubectlAsync("wait", "--for=delete", "vpc/late", "subnet/late", "--timeout=20s");
    }

    [Test]
    public async Task Kubectl_shows_networks_switches_and_ports()
    {
        await _lab.TenantAsync("shown", "10.4.0.0/24");
        await PodAsync("shown", "pod");
        await ReadyAsync("shown", "pod");
        await Eventually.True("one port on one node", async () =>
            (await _lab.KubectlAsync("get", "vpc", "shown", "-o", "jsonpath={.status.ports} {.status.nodes} {.status.subnets[0]}")).Trim() == "1 1 shown", Soon);
        var table = await _lab.KubectlAsync("get", "vpc,subnet", "-o", "wide");
        await Eventually.True("routers, switches and ports in one table", async () =>
            await _lab.KubectlAsync("get", "vpc,subnet,logicalports", "-n", "shown") is var all && new[] { "vpc.weft.dev/shown", "subnet.weft.dev/shown", "logicalport.topology.weft.dev/pod" }.All(t => all.Contains(t, StringComparison.Ordinal)), Soon);
        foreach (var text in new[] { "READY", "KEY", "NAT", "CIDRS", "USED", "AVAILABLE", "PRIVATE", "vpc.weft.dev/shown", "subnet.weft.dev/shown", "10.4.0.0/24" })
        {
            Assert.That(table, Does.Contain(text));
        }

        await Eventually.True("its port", async () => (await _lab.KubectlAsync("get", "logicalports", "-n", "shown")).Contains("10.4.0.2", StringComparison.Ordinal), Soon);
    }

    [Test]
    public async Task A_Subnet_takes_namespaces_by_label_and_decides_the_gateway_and_the_MTU_of_its_pods()
    {
        await _lab.CreateAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"labelled","labels":{"team":"narrow"}}}""");
        await _lab.CreateAsync(Group + "vpcs", TenantLab.Json("weft.dev/v1alpha1", "Vpc", "narrow", []));
        await _lab.CreateAsync(Group + "subnets", """
            {"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"narrow"},"spec":{"vpc":"narrow","cidrs":["10.5.0.0/24","fd00:5::/64"],"gateways":["10.5.0.254","fd00:5::fe"],
             "excludeIPs":["10.5.0.1..10.5.0.9"],"mtu":1300,"namespaceSelector":{"matchLabels":{"team":"narrow"}}}}
            """);
        await ConditionAsync("subnets", "narrow", "Ready", "True", "Ready");
        await PodAsync("labelled", "pod");
        var pod = await ReadyAsync("labelled", "pod");
        Assert.That(await TestLab.InAsync(pod.Netns!, "ip", "-o", "addr", "show", "dev", "eth0"), Does.Contain(" 10.5.0.10/").And.Contain(" fd00:5::"));
        Assert.That(await TestLab.InAsync(pod.Netns!, "ip", "-o", "link", "show", "dev", "eth0"), Does.Contain(" mtu 1300 "));
        await using var outside = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [8086], []);
        foreach (var (family, gateway, world) in new[] { ("-4", "10.5.0.254", "172.30.0.200:8086"), ("-6", "fd00:5::fe", "[fd00:172:30::200]:8086") })
        {
            Assert.That(await TestLab.InAsync(pod.Netns!, "ip", family, "route", "show", "default"), Does.Contain($"via {gateway} "));
            await Eventually.True($"the gateway {gateway} leads outside", () => IsOpenAsync(new NetnsProbe(pod.Netns!), IPEndPoint.Parse(world)), Soon);
        }
    }

    [Test]
    public async Task A_Vpc_without_NAT_stays_inside_and_a_Service_is_shared_with_who_names_it_alone()
    {
        foreach (var tenant in new[] { "inner", "other" })
        {
            await _lab.TenantAsync(tenant, "10.6.0.0/24");
            await PodAsync(tenant, "pod");
        }

        var (inner, other) = (new NetnsProbe((await ReadyAsync("inner", "pod")).Netns!), new NetnsProbe((await ReadyAsync("other", "pod")).Netns!));
        await using var outside = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [8085], []);
        var world = IPEndPoint.Parse("172.30.0.200:8085");
        await Eventually.True("both reach the world outside", async () => await IsOpenAsync(inner, world) && await IsOpenAsync(other, world), Soon);
        await _lab.KubectlAsync("patch", "vpc", "inner", "--type=merge", "-p", """{"spec":{"natOutgoing":false}}""");
        await Eventually.True("the Vpc without NAT does not", async () => !await IsOpenAsync(inner, world), Soon);
        Assert.That(await IsOpenAsync(other, world), "the other one does");

        await _lab.CreatePodAsync("node1", "registry", ["weft-serve", "--tcp=80"]);
        await _lab.ReadyPodAsync("registry");
        await _lab.CreateAsync("/api/v1/namespaces/default/services", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"registry"},"spec":{"selector":{"pod":"registry"},"ports":[{"port":80}]}}""");
        var service = new IPEndPoint(IPAddress.Parse((await _lab.KubectlAsync("get", "service", "registry", "-o", "jsonpath={.spec.clusterIP}")).Trim()), 80);
        var neighbour = await _lab.PodAsync("node1");
        await Eventually.True("the Service answers", () => IsOpenAsync(neighbour.Probe, service), Soon);
        Assert.That(await IsOpenAsync(inner, service), Is.False, "not before it is shared");
        await _lab.KubectlAsync("patch", "vpc", "inner", "--type=merge", "-p", """{"spec":{"sharedServices":[{"namespace":"default","name":"registry"}]}}""");
        await Eventually.True("the Vpc that names it reaches it, without NAT", () => IsOpenAsync(inner, service), Soon);
        Assert.That(await IsOpenAsync(other, service), Is.False, "the other does not");
        await _lab.KubectlAsync("patch", "vpc", "inner", "--type=merge", "-p", """{"spec":{"natOutgoing":true,"sharedServices":[]}}""");
        await Eventually.True("both are taken back", async () => !await IsOpenAsync(inner, service) && await IsOpenAsync(inner, world), Soon);
    }

    [Test]
    public async Task A_peering_opens_the_Subnets_that_it_names_and_is_not_transitive()
    {
        foreach (var (tenant, number) in new[] { ("west", 7), ("middle", 8), ("east", 9) })
        {
            await _lab.TenantAsync(tenant, $"10.{number}.0.0/24");
            await PodAsync(tenant, "pod");
        }

        await _lab.CreateAsync("/api/v1/namespaces", TenantLab.Json("v1", "Namespace", "hidden", null));
        await _lab.CreateAsync(Group + "subnets", """{"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"hidden"},"spec":{"vpc":"middle","cidrs":["10.8.1.0/24"],"namespaces":["hidden"]}}""");
        await ConditionAsync("subnets", "hidden", "Ready", "True", "Ready");
        await PodAsync("hidden", "pod");
        var names = new[] { "west", "middle", "hidden", "east" };
        var pods = (await Task.WhenAll(names.Select(n => ReadyAsync(n, "pod")))).Select(p => new NetnsProbe(p.Netns!)).ToArray();
        var addresses = new[] { "10.7.0.2", "10.8.0.2", "10.8.1.2", "10.9.0.2" }.Select(IPAddress.Parse).ToArray();
        await _lab.PeerAsync("middle", "east");
        await _lab.CreateAsync(Group + "vpcpeerings", """{"apiVersion":"weft.dev/v1alpha1","kind":"VpcPeering","metadata":{"name":"middle-west"},"spec":{"vpc":"middle","peerVpc":"west","subnets":["middle"]}}""");
        await _lab.CreateAsync(Group + "vpcpeerings", """{"apiVersion":"weft.dev/v1alpha1","kind":"VpcPeering","metadata":{"name":"west-middle"},"spec":{"vpc":"west","peerVpc":"middle"}}""");
        await ConditionAsync("vpcpeerings", "middle-west", "Ready", "True", "Ready");
        await ConditionAsync("vpcpeerings", "east-middle", "Ready", "True", "Ready");
        (int, int)[] open = [(0, 1), (1, 2), (1, 3), (2, 3)];
        async Task<bool> PingsAsync(int from, int to) => (await pods[from].PingAsync(addresses[to], timeout: TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected;
        foreach (var (one, other) in open)
        {
            await Eventually.True($"{names[one]} and {names[other]} reach each other", async () => await PingsAsync(one, other) && await PingsAsync(other, one), Soon);
        }

        foreach (var (one, other) in new[] { (0, 2), (0, 3) })
        {
            Assert.That(await PingsAsync(one, other) || await PingsAsync(other, one), Is.False, $"{names[one]} and {names[other]}");
        }
    }

    private static async Task<bool> IsOpenAsync(NetnsProbe from, IPEndPoint to) => (await from.TcpAsync(to, TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected;

    private Task PodAsync(string ns, string name) => _lab.CreateAsync($"/api/v1/namespaces/{ns}/pods", TenantLab.Json("v1", "Pod", name, new JsonObject
    {
        ["nodeName"] = "node1",
        ["terminationGracePeriodSeconds"] = 0,
        ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "none" }),
    }));

    private Task<PodView> ReadyAsync(string ns, string name) => Eventually.Some($"pod {ns}/{name} ready", async () =>
        PodView.Read(await _lab.Api.GetAsync($"/api/v1/namespaces/{ns}/pods/{name}", CancellationToken.None)) is { Ready: true, Netns: not null, Addresses.Count: > 0 } found ? found : null, Soon);

    private async Task RefusedAsync(string ns, string name, string reason) => await Eventually.True($"pod {ns}/{name} waits and says: {reason}", async () =>
        PodView.Read(await _lab.Api.GetAsync($"/api/v1/namespaces/{ns}/pods/{name}", CancellationToken.None)) is { Ready: false } pod && pod.Problem.Contains(reason, StringComparison.Ordinal), Soon);

    private async Task ConditionAsync(string plural, string name, string type, string status, string reason, string message = "")
    {
        var seen = "";
        await Eventually.True($"{plural} {name} {type}={status} {reason}", async () =>
        {
            var found = await _lab.Api.FindAsync($"{Group}{plural}/{name}", CancellationToken.None);
            var condition = found?["status"]?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == type);
            seen = condition?.ToJsonString() ?? "no condition";
            return (string?)condition?["status"] == status && (string?)condition["reason"] == reason && ((string?)condition["message"])!.Contains(message, StringComparison.Ordinal);
        }, Soon).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}; it says {seen}") : 0, TaskScheduler.Default);
    }
}
