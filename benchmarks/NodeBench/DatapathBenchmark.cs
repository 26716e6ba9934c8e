using System.Globalization;
using System.Net;
using Weft.Lab.Net;

namespace Weft.Bench.NodeBench;

/// <summary>Traffic of pods through all tables, beside the same Open vSwitch with a bridge of one NORMAL flow: on one node, and through the tunnel.</summary>
/// <remarks>Userspace data path, as on machines without the kernel module. Both sides are measured in turn; the ratio is what counts.</remarks>
internal static class DatapathBenchmark
{
    private const int Rounds = 3;
    private const string PlainBridge = "br-plain";

    public static async Task<int> RunAsync(string[] args)
    {
        _ = args;
        await using var one = await BenchNode.StartAsync(1, BenchSlice.Of(node: 1, nodes: 2, pods: 2));
        await using var two = await BenchNode.StartAsync(2, BenchSlice.Of(node: 2, nodes: 2, pods: 2));
        await BenchNode.JoinAsync(one, two);
        var ours = new[] { await PodAsync(one, 0), await PodAsync(one, 1), await PodAsync(two, 0) };
        await PlainBridgeAsync(one, 2);
        await PlainBridgeAsync(two, 1);
        var plain = new[] { await PlainPodAsync(one, 1), await PlainPodAsync(one, 2), await PlainPodAsync(two, 3) };

        await CompareAsync("same_node", Between(ours[0], ours[1]), Between(plain[0], plain[1]));
        await CompareAsync("across_nodes", Between(ours[0], ours[2]), Between(plain[0], plain[2]));
        return 0;
    }

    private static Traffic Between((Netns Netns, IPAddress Address) from, (Netns Netns, IPAddress Address) to) => new(from.Netns, to.Netns, to.Address);

    private static async Task CompareAsync(string where, Traffic ours, Traffic plain)
    {
        (string Name, Func<Traffic, Task<double>> Measure, string Unit)[] figures =
        [
            ("tcp_throughput", t => t.ThroughputAsync(), "Mbit/s"),
            ("round_trips", t => t.RoundTripsAsync(), "1/s"),
            ("new_connections", t => t.ConnectionsAsync(), "1/s"),
        ];
        foreach (var (name, measure, unit) in figures)
        {
            var (o, p) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                o.Add(await measure(ours));
                p.Add(await measure(plain));
            }

            new Figure($"datapath.{name}_{where}", o.Order().ElementAt(Rounds / 2), p.Order().ElementAt(Rounds / 2), unit).Print();
        }
    }

    /// <summary>A pod by our plugin and agent.</summary>
    private static async Task<(Netns Netns, IPAddress Address)> PodAsync(BenchNode node, int number)
    {
        if (node.Agent is null)
        {
            node.StartAgent();
            await node.AgentTakesCallsAsync();
        }

        var netns = (await node.PodNamespacesAsync($"w{number}-", 1))[0];
        var call = new PluginCall(
            Environment.GetEnvironmentVariable("WEFT_CNI")!, $$"""{"cniVersion":"1.0.0","name":"weft","type":"weft-cni","socket":"{{node.CniSocket}}"}""", node.Netns);
        await call.RunAsync("ADD", number, netns);
        return (netns, await AddressAsync(netns));
    }

    private static async Task<IPAddress> AddressAsync(Netns netns) =>
        IPAddress.Parse((await Shell.RunAsync("ip", ["-netns", netns.Name, "-4", "-br", "addr", "show", "eth0"])).Split(' ', StringSplitOptions.RemoveEmptyEntries)[2].Split('/')[0]);

    /// <summary>A bridge that only learns, with a tunnel to the other node.</summary>
    private static Task PlainBridgeAsync(BenchNode node, int other) => node.Database.VsctlAsync(
        wait: true, "add-br", PlainBridge, "--", "set", "Bridge", PlainBridge, "datapath_type=netdev",
        "--", "add-port", PlainBridge, "plain-tun", "--", "set", "Interface", "plain-tun", "type=geneve", $"options:remote_ip={BenchSlice.NodeAddress(other)}", "options:key=77");

    private static async Task<(Netns Netns, IPAddress Address)> PlainPodAsync(BenchNode node, int number)
    {
        var netns = (await node.PodNamespacesAsync($"p{number}-", 1))[0];
        var (port, address) = (string.Create(CultureInfo.InvariantCulture, $"plain{number}"), string.Create(CultureInfo.InvariantCulture, $"10.62.0.{number}"));
        await node.Netns.IpAsync(CancellationToken.None, $"link add {port} mtu 1450 up type veth peer name eth0 mtu 1450 netns {netns.Name}");
        await netns.IpAsync(CancellationToken.None, $"addr add {address}/24 dev eth0", "link set eth0 up");
        await Shell.RunAsync("nsenter", [$"--net={netns.Path}", "--", Shell.Find("ethtool"), "-K", "eth0", "tx", "off"]);
        await node.Database.VsctlAsync(wait: true, "add-port", PlainBridge, port);
        return (netns, IPAddress.Parse(address));
    }
}
