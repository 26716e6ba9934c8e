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

        // The members of the database keep their addresses.
        var before = new[] { await _lab.ReadTenantPodAsync("red", "db-0"), await _lab.ReadTenantPodAsync("red", "db-1") };
        Assert.That(before.Select(p => p.V4.ToString()), Is.EqualTo(new[] { "10.0.0.100", "10.0.0.101" }));
        await _lab.KubectlAsync("delete", "pod", "-n", "red", "db-0", "--wait=true");
        var after = await _lab.ReadTenantPodAsync("red", "db-0");
        Assert.That((after.V4, after.V6, after.Mac), Is.EqualTo((before[0].V4, before[0].V6, before[0].Mac)));

        // They find each other by name: what the cluster's DNS is asked for is answered with addresses of the tenant.
        await _lab.CreateAsync("/api/v1/namespaces/kube-system/services", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"kube-dns"},"spec":{"clusterIP":"10.96.0.10","ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}
            """);
        foreach (var (name, address) in new[] { ("db-1.db.red.svc.cluster.local", "10.0.0.101"), ("db-0.red.pod.cluster.local", "10.0.0.100"), ("web.red.svc.cluster.local", service.ToString()) })
        {
            await Eventually.True($"db-0 finds {name}", async () => (await ResolveAsync(after, name)) == address, TimeSpan.FromSeconds(15));
        }

        Assert.That(await ResolveAsync(blue, "db-1.db.red.svc.cluster.local"), Is.Not.EqualTo("10.0.0.101"), "red's names are not blue's");

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

    /// <summary>Asks the cluster's DNS for an IPv4 address (RFC 1035); "" when there is none or no answer.</summary>
    private static async Task<string> ResolveAsync(TenantPod from, string name)
    {
        using var socket = await from.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        byte[] query = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. System.Text.Encoding.ASCII.GetBytes(l)]), 0, 0, 1, 0, 1];
        var buffer = new byte[512];
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53));
            await socket.SendAsync(query, limit.Token);
            var length = await socket.ReceiveAsync(buffer, limit.Token);
            return buffer[7] > 0 ? new IPAddress(buffer.AsSpan(length - 4, 4)).ToString() : "";
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            return "";
        }
    }

    private Task<string> ApplyAsync(string file) =>
        _lab.KubectlAsync("apply", "--validate=false", "-f", Path.Combine(new LabPrograms().Root, "deploy/examples/tenants", file));
}
