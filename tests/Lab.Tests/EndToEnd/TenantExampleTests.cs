using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>The examples of docs/guide/tenants.md, applied in its order with stock kubectl.</summary>
public sealed class TenantExampleTests
{
    private static readonly string Folder = Path.Combine(new LabPrograms().Root, "deploy/examples/tenants");

    private readonly HashSet<string> _applied = [];
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("tx", nodes: 2);

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task The_guide_holds()
    {
        await ApplyAsync("01-vpcs.yaml");
        await _lab.ConditionAsync("vpcs", "red", "True", "Ready");
        await _lab.ConditionAsync("subnets", "blue", "True", "Ready");
        var table = await _lab.KubectlAsync("get", "vpc,subnet");
        Assert.That(table, Does.Contain("vpc.weft.dev/red").And.Contain("subnet.weft.dev/blue").And.Contain("KEY"));

        await ApplyAsync("02-pods.yaml");
        var (red, blue) = (await _lab.ReadTenantPodAsync("red", "client"), await _lab.ReadTenantPodAsync("blue", "client"));
        Assert.That((red.V4.ToString(), red.V6.ToString(), red.Mac), Is.EqualTo(("10.0.0.50", "fd00:a::50", "02:00:00:00:00:50")));
        Assert.That(await _lab.KubectlAsync("get", "logicalports", "-A"), Does.Contain("10.0.0.50"));
        var service = IPAddress.Parse((await _lab.KubectlAsync("get", "service", "-n", "red", "web", "-o", "jsonpath={.spec.clusterIP}")).Trim());
        await Eventually.True("red has its Service", async () => (await red.Probe.TcpAsync(new IPEndPoint(service, 80))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(40));
        Assert.That((await blue.Probe.TcpAsync(new IPEndPoint(service, 80), TimeSpan.FromMilliseconds(500))).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected), "blue does not");

        await _lab.CreateAsync("/api/v1/namespaces/kube-system/services", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"kube-dns"},"spec":{"clusterIP":"10.96.0.10","ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}
            """);
        await StatefulSetAsync();
        foreach (var (name, address) in new[] { ("db-0.red.pod.cluster.local", "10.0.0.100"), ("web.red.svc.cluster.local", service.ToString()) })
        {
            await Eventually.True($"the client finds {name}", async () => (await ResolveAsync(red, name)) == address, TimeSpan.FromSeconds(15));
        }

        Assert.That(await ResolveAsync(blue, "db-1.db.red.svc.cluster.local"), Is.Not.EqualTo("10.0.0.101"), "red's names are not blue's");
        await PeeringAsync(red);
        await FromOutsideAsync();
        await PrivateAsync(red);
        await RoutesAsync(red, blue);
        Assert.That(_applied, Is.EquivalentTo(Directory.EnumerateFiles(Folder).Select(Path.GetFileName)), "every example is applied");
        var guide = await File.ReadAllTextAsync(Path.Combine(new LabPrograms().Root, "docs/guide/tenants.md"));
        Assert.That(_applied.Where(f => !guide.Contains($"deploy/examples/tenants/{f}", StringComparison.Ordinal)), Is.Empty, "the guide walks through every example");
    }

    /// <summary>The members of the database keep their addresses over deletion and a change of the node, and find each other by name.</summary>
    private async Task StatefulSetAsync()
    {
        var before = await MembersAsync();
        Assert.That(before.Select(p => (p.V4.ToString(), p.V6.ToString())), Is.EqualTo(new[] { ("10.0.0.100", "fd00:a::100"), ("10.0.0.101", "fd00:a::101") }));
        await TheyFindEachOtherAsync(before);

        // The first member moves to another node, alone.
        await _lab.KubectlAsync("cordon", before[0].Node);
        await _lab.KubectlAsync("delete", "pod", "-n", "red", "db-0", "--wait=true");
        var moved = await MembersAsync();
        await _lab.KubectlAsync("uncordon", before[0].Node);
        Assert.That(moved[0].Node, Is.Not.EqualTo(before[0].Node));
        Assert.That(moved.Select(Identity), Is.EqualTo(before.Select(Identity)), "addresses and MACs after a change of the node");
        await TheyFindEachOtherAsync(moved);

        // The whole set is deleted and made again, elsewhere.
        await _lab.KubectlAsync("delete", "statefulset", "-n", "red", "db", "--wait=true");
        await Eventually.True("its pods are gone", async () => !(await _lab.KubectlAsync("get", "pods", "-n", "red", "-o", "name")).Contains("db-", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        await _lab.KubectlAsync("cordon", moved[0].Node);
        await ApplyAsync("02-pods.yaml");
        var again = await MembersAsync();
        await _lab.KubectlAsync("uncordon", moved[0].Node);
        Assert.That(again.Select(p => p.Node), Has.None.EqualTo(moved[0].Node));
        Assert.That(again.Select(Identity), Is.EqualTo(before.Select(Identity)), "addresses and MACs after the set was made again on another node");
        await TheyFindEachOtherAsync(again);
    }

    private static (IPAddress, IPAddress, string) Identity(TenantPod pod) => (pod.V4, pod.V6, pod.Mac);

    private Task<TenantPod[]> MembersAsync() => Task.WhenAll(_lab.ReadTenantPodAsync("red", "db-0"), _lab.ReadTenantPodAsync("red", "db-1"));

    /// <summary>Each asks the cluster's DNS for the other by its name of the headless Service, in both families, and reaches what it is told.</summary>
    private static async Task TheyFindEachOtherAsync(TenantPod[] members)
    {
        foreach (var (from, to) in new[] { (members[0], members[1]), (members[1], members[0]) })
        {
            await using var server = await ProbeServer.StartAsync(to.Netns, to.Id, [5432], []);
            foreach (var family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
            {
                var name = $"{to.Name}.db.red.svc.cluster.local";
                await Eventually.True($"{from} finds {name}", async () => (await ResolveAsync(from, name, family)) == to.Address(family).ToString(), TimeSpan.FromSeconds(15));
                await Eventually.True($"{from} reaches {to} ({family})", async () =>
                    await from.Probe.TcpAsync(new IPEndPoint(to.Address(family), 5432), TimeSpan.FromMilliseconds(500)) is { Outcome: ProbeOutcome.Connected } r && r.Server == to.Id, TimeSpan.FromSeconds(15));
            }
        }
    }

    private async Task PeeringAsync(TenantPod red)
    {
        await ApplyAsync("03-peering.yaml");
        await _lab.ConditionAsync("vpcpeerings", "red-green", "True", "Ready");
        var green = await _lab.ReadTenantPodAsync("green", "client");
        await Eventually.True("green reaches red", async () => (await green.Probe.PingAsync(red.V4, timeout: TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(10));

        // A Vpc in use stays, and says why; it goes with its last pod and Subnet.
        await _lab.KubectlAsync("delete", "vpcpeering", "--all");
        await _lab.KubectlAsync("delete", "vpc", "green", "--wait=false");
        await _lab.ConditionAsync("vpcs", "green", "False", "InUse");
        await _lab.KubectlAsync("delete", "pod", "-n", "green", "client", "--wait=true");
        await _lab.KubectlAsync("delete", "subnet", "green", "--wait=true", "--timeout=20s");
        await Eventually.True("the Vpc is gone", async () => await _lab.Api.FindAsync("/apis/weft.dev/v1alpha1/vpcs/green", CancellationToken.None) is null, TimeSpan.FromSeconds(20));
    }

    private async Task FromOutsideAsync()
    {
        await ApplyAsync("04-services.yaml");
        var nodePort = int.Parse(await _lab.KubectlAsync("get", "service", "-n", "red", "web-public", "-o", "jsonpath={.spec.ports[0].nodePort}"), CultureInfo.InvariantCulture);
        var balancer = "";
        await Eventually.True("an address of a load balancer", async () =>
            (balancer = (await _lab.KubectlAsync("get", "service", "-n", "red", "web-public", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")).Trim()).Length > 0, TimeSpan.FromSeconds(20));
        var outside = new NetnsProbe(_lab.Cluster.Layout.Outside);
        foreach (var target in new[] { $"172.30.0.11:{nodePort}", $"172.30.0.12:{nodePort}", $"[fd00:172:30::11]:{nodePort}", $"{balancer}:8000" }.Select(IPEndPoint.Parse))
        {
            await Eventually.True($"{target} from outside", async () => (await outside.TcpAsync(target, TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
        }
    }

    private async Task PrivateAsync(TenantPod red)
    {
        await ApplyAsync("05-private.yaml");
        await _lab.ConditionAsync("subnets", "red-vault", "True", "Ready");
        var vault = await _lab.ReadTenantPodAsync("red-vault", "vault");
        var stranger = await _lab.ReadTenantPodAsync("red", "db-0");
        foreach (var address in new[] { vault.V4, vault.V6 })
        {
            var target = new IPEndPoint(address, 8080);
            await Eventually.True($"the client reaches {target}", async () => (await red.Probe.TcpAsync(target, TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
            Assert.That((await stranger.Probe.TcpAsync(target, TimeSpan.FromMilliseconds(500))).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), "others of red do not");
        }
    }

    private async Task RoutesAsync(TenantPod red, TenantPod blue)
    {
        await ApplyAsync("06-routes.yaml");
        await _lab.ReadTenantPodAsync("red", "router");
        foreach (var target in new[] { "192.168.77.1:8080", "[fd00:77::1]:8080" }.Select(IPEndPoint.Parse))
        {
            await Eventually.True($"red reaches {target}", async () => (await red.Probe.TcpAsync(target, TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
            Assert.That((await blue.Probe.TcpAsync(target, TimeSpan.FromMilliseconds(500))).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected), "blue does not");
        }
    }

    /// <summary>Asks the cluster's DNS for an address (RFC 1035 and 3596); "" when there is none or no answer.</summary>
    private static async Task<string> ResolveAsync(TenantPod from, string name, AddressFamily family = AddressFamily.InterNetwork)
    {
        var (type, size) = family == AddressFamily.InterNetwork ? ((byte)1, 4) : ((byte)28, 16);
        using var socket = await from.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        byte[] query = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. System.Text.Encoding.ASCII.GetBytes(l)]), 0, 0, type, 0, 1];
        var buffer = new byte[512];
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53));
            await socket.SendAsync(query, limit.Token);
            var length = await socket.ReceiveAsync(buffer, limit.Token);
            return buffer[7] > 0 ? new IPAddress(buffer.AsSpan(length - size, size)).ToString() : "";
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            return "";
        }
    }

    private Task<string> ApplyAsync(string file)
    {
        _applied.Add(file);
        return _lab.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(Folder, file));
    }
}
