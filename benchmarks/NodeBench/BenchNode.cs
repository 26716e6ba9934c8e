using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent;
using Weft.Agent.Facts;
using Weft.Lab.Net;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Bench.NodeBench;

/// <summary>A node without a controller: a namespace with Open vSwitch (userspace data path) and the published agent, which starts from a slice on disk.</summary>
internal sealed class BenchNode : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Netns> _pods = [];
    private readonly int _number;
    private OvsdbServerProcess? _database;
    private ChildProcess? _switch;

    private BenchNode(int number) => _number = number;

    public Netns Netns => field ??= new Netns(string.Create(CultureInfo.InvariantCulture, $"wb{Environment.ProcessId}-{_number}"));

    public OvsdbServerProcess Database => _database ?? throw new InvalidOperationException("the node was not started");

    public ChildProcess? Agent { get; private set; }

    public string CniSocket => _folder.File("cni.sock");

    public string Scratch => _folder.Path;

    /// <summary>Makes the node's namespace and starts its switch, with <c>br-phy</c> that owns the node's address.</summary>
    public static async Task<BenchNode> StartAsync(int number, IEnumerable<TopologyItem> items)
    {
        var node = new BenchNode(number);
        try
        {
            await node.Netns.CreateAsync(CancellationToken.None);
            await node.Netns.SetAsync(("ipv4/ip_forward", "1"), ("ipv4/conf/all/rp_filter", "0"));
            node._database = await OvsdbServerProcess.StartAsync();
            await node.Database.VsctlAsync(wait: false, "init", "--", "add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=netdev");
            await node.StartSwitchAsync();
            await node.Netns.IpAsync(CancellationToken.None, "link set br-phy up", $"addr add {BenchSlice.NodeAddress(number)}/24 dev br-phy");
            new SliceFile(node._folder.File("node-state.ndjson"), NullLogger<SliceFile>.Instance).Write(BenchSlice.Make(items));
            await node.WriteOptionsAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a wire between two nodes' uplink bridges, and lets them learn each other's addresses.</summary>
    public static async Task JoinAsync(BenchNode one, BenchNode two)
    {
        await one.Netns.IpAsync(CancellationToken.None, $"link add eth0 up type veth peer name eth0 netns {two.Netns.Name}");
        await two.Netns.IpAsync(CancellationToken.None, "link set eth0 up");
        foreach (var node in (BenchNode[])[one, two])
        {
            // The userspace data path takes packets as they are on the wire: checksums must be in them.
            await node.RunAsync("ethtool", "-K", "eth0", "tx", "off", "gro", "off");
            await node.Database.VsctlAsync(wait: true, "add-port", "br-phy", "eth0");
        }

        await one.RunAsync("ping", "-c", "2", "-i", "0.2", BenchSlice.NodeAddress(two._number));
    }

    /// <summary>Starts the agent; returns before it is ready.</summary>
    public void StartAgent() => Agent = ChildProcess.Start("nsenter", [$"--net={Netns.Path}", "--", "dotnet", AgentProgram, "--config", _folder.File("agent.json")]);

    /// <summary>Waits until the CNI socket is there.</summary>
    public Task AgentTakesCallsAsync() => Eventually.True("the agent takes CNI calls", () =>
        Agent is { HasExited: false } ? File.Exists(CniSocket) : throw new InvalidOperationException($"the agent ended: {Agent?.Output}"), TimeSpan.FromSeconds(60));

    /// <summary>Waits until the agent says that the switch holds the plan.</summary>
    public async Task<SyncStatus> AgentInSyncAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, ct) =>
            {
                var socket = await Netns.RunInsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        return await Eventually.Some("the agent in sync", async () =>
        {
            try
            {
                return await http.GetFromJsonAsync<SyncStatus>("http://127.0.0.1:10351/sync", JsonSerializerOptions.Web) is { Synced: true } status ? status : null;
            }
            catch (HttpRequestException) when (Agent is { HasExited: false })
            {
                // It does not listen yet.
                return null;
            }
        }, TimeSpan.FromSeconds(60));
    }

    /// <summary>The agent's resident memory, MB (10^6 bytes).</summary>
    public double AgentMegabytes() => double.Parse(
        File.ReadLines($"/proc/{Agent!.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024 / 1e6;

    /// <summary>Ends the agent at once; what it did stays.</summary>
    public async Task StopAgentAsync()
    {
        if (Agent is not null)
        {
            await Agent.DisposeAsync();
            Agent = null;
            File.Delete(CniSocket);
        }
    }

    /// <summary>Makes namespaces for pods; they end with the node.</summary>
    public async Task<IReadOnlyList<Netns>> PodNamespacesAsync(string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _pods.Add(new Netns($"{Netns.Name}-{prefix}{i}"));
            await _pods[^1].CreateAsync(CancellationToken.None);
        }

        return _pods[^count..];
    }

    /// <summary>Runs a program in the node's namespace with its switch and returns what it printed.</summary>
    public Task<string> RunAsync(string program, params string[] arguments) =>
        ChildProcess.RunAsync("nsenter", [$"--net={Netns.Path}", "--", Shell.Find(program), .. arguments], Database.Environment);

    public async ValueTask DisposeAsync()
    {
        await StopAgentAsync();
        if (_switch is not null)
        {
            await _switch.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        foreach (var netns in _pods.Append(Netns))
        {
            await netns.DeleteAsync(CancellationToken.None);
        }

        _folder.Dispose();
    }

    private static string AgentProgram => Environment.GetEnvironmentVariable("WEFT_AGENT")
        ?? throw new InvalidOperationException("WEFT_AGENT does not name the agent: start this with scripts/bench");

    private async Task StartSwitchAsync()
    {
        _switch = ChildProcess.Start(
            "nsenter",
            [
                $"--net={Netns.Path}", "--", Shell.Find("ovs-vswitchd"), Database.Remote, "--no-chdir", $"--pidfile={Database.Folder}/ovs-vswitchd.pid",
                $"--log-file={Database.Folder}/ovs-vswitchd.log", "-vconsole:off", "-vsyslog:off",
            ],
            Database.Environment);
        await Database.VsctlAsync(wait: true, "set", "Open_vSwitch", ".", "external_ids:bench=ready");
    }

    private Task WriteOptionsAsync() => File.WriteAllTextAsync(_folder.File("agent.json"), JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["nodeName"] = BenchSlice.NodeName(_number),
        ["controllers"] = new[] { "http://127.0.0.1:1" },
        ["ovsdb"] = Database.Remote,
        ["ovsRunDir"] = Database.Folder,
        ["datapathType"] = "netdev",
        ["cniSocket"] = CniSocket,
        ["stateDir"] = _folder.Path,
    }));
}
