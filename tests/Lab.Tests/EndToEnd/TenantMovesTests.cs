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
            (await new NetnsProbe(second.Netns!).PingAsync(System.Net.IPAddress.Parse("10.2.0.2"), timeout: TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, Soon);
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
        foreach (var text in new[] { "READY", "KEY", "NAT", "CIDRS", "USED", "AVAILABLE", "PRIVATE", "vpc.weft.dev/shown", "subnet.weft.dev/shown", "10.4.0.0/24" })
        {
            Assert.That(table, Does.Contain(text));
        }

        await Eventually.True("its port", async () => (await _lab.KubectlAsync("get", "logicalports", "-n", "shown")).Contains("10.4.0.2", StringComparison.Ordinal), Soon);
    }

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
