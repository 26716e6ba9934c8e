using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Host;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Host;

/// <summary>Real packets: a pod behind weft-gw0, the node, and a host outside of the cluster that has no route to pods.</summary>
public sealed class MasqueradeTests
{
    [Test]
    public async Task A_pod_leaves_as_the_node_and_reaches_the_inside_as_itself()
    {
        await using var node = await TestNamespace.CreateAsync();
        await using var pod = await TestNamespace.CreateAsync();
        await using var outside = await TestNamespace.CreateAsync();
        await node.IpAsync($"link add weft-gw0 type veth peer name eth0 netns {pod.Name}");
        await node.IpAsync($"link add up0 type veth peer name eth0 netns {outside.Name}");
        await node.IpAsync("link set up0 up");
        await node.IpAsync("addr add 192.168.9.1/24 dev up0");
        await node.IpAsync("addr add fd99::1/64 dev up0 nodad");
        await outside.IpAsync("link set eth0 up");
        foreach (var address in new[] { "192.168.9.2/24", "192.168.9.3/24", "fd99::2/64", "fd99::3/64" })
        {
            await outside.IpAsync($"addr add {address} dev eth0" + (address.Contains(':', StringComparison.Ordinal) ? " nodad" : ""));
        }

        // .3 is inside of the cluster: it sees pods as they are, and has the route back.
        await outside.IpAsync("route add 10.10.0.0/24 via 192.168.9.1");
        await outside.IpAsync("-6 route add fd00:10::/64 via fd99::1");
        await pod.IpAsync("link set eth0 up");
        await pod.IpAsync("addr add 10.10.0.5/24 dev eth0");
        await pod.IpAsync("addr add fd00:10::5/64 dev eth0 nodad");
        await using var host = new HostNetwork(TimeProvider.System, NullLogger<HostNetwork>.Instance, node.Path);
        var changes = await host.ApplyAsync(
            new HostPlan
            {
                GatewayAddresses = ["10.10.0.1/24", "fd00:10::1/64"],
                MasqueradeSources = ["10.10.0.0/24", "fd00:10::/64"],
                NeverMasquerade = ["10.10.0.0/16", "192.168.9.3", "fd00::/16", "fd99::3"],
            },
            CancellationToken.None);
        Assert.That(changes.Problems, Is.Empty);
        await pod.IpAsync("route add default via 10.10.0.1");
        await pod.IpAsync("-6 route add default via fd00:10::1");

        Assert.That(await SeenAsAsync(pod, outside, "192.168.9.2"), Is.EqualTo("192.168.9.1"));
        Assert.That(await SeenAsAsync(pod, outside, "192.168.9.3"), Is.EqualTo("10.10.0.5"));
        Assert.That(await SeenAsAsync(pod, outside, "fd99::2"), Is.EqualTo("fd99::1"));
        Assert.That(await SeenAsAsync(pod, outside, "fd99::3"), Is.EqualTo("fd00:10::5"));
    }

    /// <summary>Opens a TCP connection and returns the address that the server sees.</summary>
    private static async Task<string> SeenAsAsync(TestNamespace client, TestNamespace server, string address)
    {
        const string serve = "import socket,sys; s=socket.create_server((sys.argv[1],7),family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET); "
            + "print('ready',flush=True); c,a=s.accept(); print('from',a[0],flush=True)";
        const string connect = "import socket,sys; socket.create_connection((sys.argv[1],7),timeout=3)";
        await using var listening = ChildProcess.Start("ip", ["netns", "exec", server.Name, "python3", "-c", serve, address]);
        await Eventually.True("server listens", () => listening.Output.Contains("ready", StringComparison.Ordinal));
        await ChildProcess.RunAsync("ip", ["netns", "exec", client.Name, "python3", "-c", connect, address]);
        await Eventually.True("server accepts", () => listening.Output.Contains("from", StringComparison.Ordinal));
        return listening.Output[(listening.Output.IndexOf("from", StringComparison.Ordinal) + 5)..].Trim();
    }
}
