using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Names;
using Weft.Agent.Host;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Sync;
using Weft.Agent.Tests.Host;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.Faults;

/// <summary>An agent's parts together, without a process around them: real ovsdb-server and ovs-vswitchd with dummy devices behind relays, a namespace for the node.</summary>
/// <remarks>What a user sees is <see cref="Problems"/>: what the agent reports.</remarks>
internal sealed class AgentBench : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private CancellationTokenSource _stop = new();
    private List<Task> _running = [];
    private NodeFacts _start = null!;
    private HostNetwork _network = null!;
    private HostIsolation _isolation = null!;
    private Reporter _reporter = null!;

    private AgentBench(OvsdbServerProcess database, VSwitchdProcess vswitchd, TestNamespace node)
    {
        (Database, Switch, Node) = (database, vswitchd, node);
        OvsdbRelay = new UnixRelay(database.Socket, _folder.File("db.sock"));
        OpenFlowRelay = new UnixRelay(vswitchd.ManagementSocket("br-int"), _folder.File("br-int.mgmt"));
        File.CreateSymbolicLink(_folder.File("vswitchd.ctl"), vswitchd.Control);
        Directory.CreateDirectory(StateDir);
    }

    public OvsdbServerProcess Database { get; }

    public VSwitchdProcess Switch { get; }

    public TestNamespace Node { get; }

    public UnixRelay OvsdbRelay { get; }

    public UnixRelay OpenFlowRelay { get; }

    public BridgeRows Rows { get; private set; } = null!;

    public FlowSync Flows { get; private set; } = null!;

    public AgentLoop Loop { get; private set; } = null!;

    public CniService Cni { get; private set; } = null!;

    public PodNetwork Pods { get; private set; } = null!;

    public ControllerStream Controller { get; private set; } = null!;

    public SliceFile Slices { get; private set; } = null!;

    public string StateDir => _folder.File("state");

    /// <summary>The agent's clock.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>How long the switch may take for a confirmation.</summary>
    public TimeSpan? SwitchPatience { get; set; }

    /// <summary>How often groups and the meter are read back.</summary>
    public TimeSpan? CompareGroupsAfter { get; set; }

    /// <summary>Whether the switch is asked to tell of group and meter mods of others.</summary>
    public bool IsTold { get; set; } = true;

    /// <summary>How many ports the agent makes in advance.</summary>
    public int SparePorts { get; set; }

    /// <summary>The namespace of those ports; a path at which there is none when a test wants that.</summary>
    public string SparesPath { get; set; } = "";

    /// <summary>What flows and rows logged since the start.</summary>
    public KeptLog Log { get; } = new();

    /// <summary>Controllers, when a test has some.</summary>
    public string[] Controllers { get; set; } = ["http://127.0.0.1:1"];

    /// <summary>What the agent reports as wrong now.</summary>
    public IReadOnlyList<NodeProblem> Problems => ProblemsOf(Loop.Published);

    /// <summary>Starts everything and waits until the switch holds the plan and the pods of the facts have ports.</summary>
    public static async Task<AgentBench> StartAsync(NodeFacts facts, Func<AgentBench, Task>? prepare = null)
    {
        var database = await OvsdbServerProcess.StartAsync();
        var bench = new AgentBench(database, await VSwitchdProcess.StartAsync(database), await TestNamespace.CreateAsync());
        try
        {
            // The real weft-gw0 is a dummy device of the switch.
            await bench.Node.IpAsync("link add weft-gw0 type veth peer name gw-peer");
            await bench.Node.IpAsync("link set gw-peer up");
            bench._start = facts;
            await (prepare?.Invoke(bench) ?? Task.CompletedTask);
            await bench.StartAgentAsync();
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the agent's parts with the facts of the beginning, and waits until all is as planned.</summary>
    public async Task StartAgentAsync()
    {
        await StartLoopAsync(_start.Slice, connect: true);
        await InSyncAsync("the start");
        foreach (var port in _start.Ports.Values.Where(p => Rows.Find(p.Attachment.HostInterface) is null))
        {
            var (added, confirmed) = await Loop.AddAsync(port.Attachment);
            await confirmed;
            await Rows.AddPortAsync(added, Task.Delay(Timeout.Infinite), CancellationToken.None);
        }

        await InSyncAsync("the first pods");
    }

    /// <summary>Starts the agent's parts; the switch is connected at once or by <see cref="Connect"/>.</summary>
    public async Task StartLoopAsync(Slice slice, bool connect)
    {
        _stop = new CancellationTokenSource();
        var options = new AgentOptions
        {
            NodeName = _start.NodeName, Controllers = Controllers, Ovsdb = "unix:" + _folder.File("db.sock"), OvsRunDir = _folder.Path, DatapathType = "netdev", UplinkMtu = 1500,
            StateDir = StateDir, CniSocket = _folder.File("cni.sock"),
        };
        var time = Time;
        Rows = new BridgeRows(options, Log.For<BridgeRows>());
        Flows = new FlowSync(options, Log.For<FlowSync>(), SwitchPatience, CompareGroupsAfter, IsTold);
        _network = new HostNetwork(time, NullLogger<HostNetwork>.Instance, Node.Path);
        var facts = new HostFacts(options, time);
        _isolation = new HostIsolation(new HostIsolationSettings { Access = HostAccess.Any, StateDir = StateDir }, time, NullLogger<HostIsolation>.Instance, Node.Path);
        var host = new HostSync(_network, facts, new ServiceHealth(NullLogger<ServiceHealth>.Instance), _isolation);
        Loop = new AgentLoop(options, slice, new NameJournal(Path.Combine(StateDir, NameJournal.FileName), NullLogger<NameJournal>.Instance), Flows, Rows, host, time, NullLogger<AgentLoop>.Instance);
        Controller = new ControllerStream(options, time, NullLogger<ControllerStream>.Instance);
        Pods = new PodNetwork(options, Loop, Rows, Flows, Controller, facts, time);
        Cni = new CniService(options.CniSocket, StateDir, Pods, new CniLimits(), time, NullLogger<CniService>.Instance, Node.Path,
            SparesPath.Length > 0 ? new SpareSettings(SparePorts, SparesPath, new SparePortRows(options, Loop, Rows, facts)) : null);
        Slices = new SliceFile(Path.Combine(StateDir, "node-state.ndjson"), NullLogger<SliceFile>.Instance);
        _reporter = new Reporter(options, Loop, host, Rows, Slices, Cni, Controller, time, NullLogger<Reporter>.Instance);
        _running = [Loop.RunAsync(_stop.Token), Rows.RunAsync(Loop.Post, _stop.Token)];
        if (connect)
        {
            Connect();
        }

        await Eventually.True("the rows known", () => Loop.Published.RowsKnown);
    }

    /// <summary>A step of the controller's that puts these items in place.</summary>
    public SliceChange Change(params TopologyItem[] items)
    {
        var slice = Loop.Published.Facts.Slice;
        return new SliceChange(
            slice with { Revision = slice.Revision + 1, Items = slice.Items.SetItems(items.Select(i => KeyValuePair.Create(ItemRef.Of(i), i))) },
            [.. items.Select(ItemRef.Of)]);
    }

    /// <summary>Lets the agent connect to the switch.</summary>
    public void Connect() => _running.Add(Flows.RunAsync(Loop.Wake, _stop.Token));

    /// <summary>Calls the agent as the CNI plugin does; <see cref="CniService.StartAsync"/> first.</summary>
    /// <param name="more">Members of the network configuration beyond its name and type, each after a comma.</param>
    public async Task<CniReply> CallAsync(string command, string container, string pod, string netns, string more = "")
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder.File("cni.sock")));
        await using var stream = new NetworkStream(socket);
        var request = new CniRequest
        {
            Command = command, ContainerId = container, IfName = "eth0", Netns = netns, Args = $"K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_UID=uid-{pod}",
            Config = $$"""{"cniVersion":"1.1.0","name":"weft","type":"weft-cni"{{more}}}""",
        };
        await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(request, TopologyJson.Default.CniRequest) + "\n"));
        using var reader = new StreamReader(stream);
        return JsonSerializer.Deserialize(await reader.ReadToEndAsync(), TopologyJson.Default.CniReply)!;
    }

    /// <summary>Lets the agent follow its controllers.</summary>
    public void FollowControllers() => _running.Add(Controller.RunAsync(new SliceBuilder(Loop.Published.Facts.Slice), Loop.Post, _stop.Token));

    /// <summary>Ends the agent's parts; what they did stays.</summary>
    public async Task StopAgentAsync()
    {
        if (_running.Count == 0)
        {
            return;
        }

        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Cni.DisposeAsync();
        await Flows.DisposeAsync();
        await Rows.DisposeAsync();
        await Loop.DisposeAsync();
        await _network.DisposeAsync();
        await _isolation.DisposeAsync();
        Controller.Dispose();
        _stop.Dispose();
        _running = [];
    }

    /// <summary>What the agent reports in a state.</summary>
    public IReadOnlyList<NodeProblem> ProblemsOf(AgentState state) => _reporter.Make(state).Problems;

    /// <summary>Waits until the agent says that all is as planned.</summary>
    public Task InSyncAsync(string after) => Eventually.True($"the agent in sync after {after}: {string.Join("; ", Problems)}", () => Loop.Published.Synced, TimeSpan.FromSeconds(30));

    /// <summary>Waits until the agent reports a problem.</summary>
    public async Task<NodeProblem> ProblemAsync(string reason, string text, TimeSpan? patience = null)
    {
        try
        {
            return await Eventually.Some("", () => Task.FromResult(Problems.FirstOrDefault(p => p.Reason == reason && p.Message.Contains(text, StringComparison.Ordinal))), patience ?? TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the agent does not report {reason} with '{text}' but: {string.Join("; ", Problems)}");
        }
    }

    /// <summary>What the switch has and the plan has not, and the other way round; empty when it is as an agent would plan it from nothing.</summary>
    public async Task<string> DifferencesAsync()
    {
        new SliceFile(_folder.File("verify.ndjson"), NullLogger<SliceFile>.Instance).Write(Loop.Published.Facts.Slice);
        var folder = Directory.CreateDirectory(_folder.File("verify"));
        File.Move(_folder.File("verify.ndjson"), Path.Combine(folder.FullName, "node-state.ndjson"), overwrite: true);
        var options = new AgentOptions
        {
            NodeName = _start.NodeName, Controllers = Controllers, Ovsdb = Database.Remote, OvsRunDir = Database.Folder, DatapathType = "netdev", UplinkMtu = 1500, StateDir = folder.FullName,
        };
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        // This machine's own network is not the node's.
        return string.Join('\n', (await Verification.RunAsync(options, limit.Token)).Where(d => !d.StartsWith("host: ", StringComparison.Ordinal)));
    }

    public async ValueTask DisposeAsync()
    {
        if (Loop is not null)
        {
            await StopAgentAsync();
        }

        await OpenFlowRelay.DisposeAsync();
        await OvsdbRelay.DisposeAsync();
        await Switch.DisposeAsync();
        await Database.DisposeAsync();
        await Node.DisposeAsync();
        _folder.Dispose();
    }
}
