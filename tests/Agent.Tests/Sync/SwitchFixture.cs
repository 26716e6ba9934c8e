using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Sync;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Sync;

/// <summary>A real ovsdb-server and ovs-vswitchd with dummy devices, and the agent's half that speaks to them.</summary>
internal sealed class SwitchFixture : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private int _wakes;

    private SwitchFixture(OvsdbServerProcess database, VSwitchdProcess vswitchd)
    {
        (Database, Switch) = (database, vswitchd);
        Options = new AgentOptions
        {
            NodeName = "node1", Controllers = ["http://127.0.0.1:1"], Ovsdb = database.Remote, OvsRunDir = database.Folder, DatapathType = "netdev",
        };
        Rows = new BridgeRows(Options, NullLogger<BridgeRows>.Instance);
        Flows = NewFlowSync();
    }

    public OvsdbServerProcess Database { get; }

    public VSwitchdProcess Switch { get; }

    public AgentOptions Options { get; }

    public BridgeRows Rows { get; }

    public FlowSync Flows { get; private set; }

    public FlowPlanner Planner { get; } = new();

    public int Wakes => Volatile.Read(ref _wakes);

    public static async Task<SwitchFixture> StartAsync(NodeFacts facts)
    {
        var database = await OvsdbServerProcess.StartAsync();
        var fixture = new SwitchFixture(database, await VSwitchdProcess.StartAsync(database));
        fixture._running.Add(fixture.Rows.RunAsync(_ => { }, fixture._stop.Token));
        await Eventually.True("the bridge with its ports", async () =>
        {
            await fixture.Rows.EnsureInfrastructureAsync(facts, CancellationToken.None);
            return fixture.Rows.Find("weft-gw0")?.OfPort is > 0;
        });
        foreach (var port in facts.Ports.Values)
        {
            await fixture.Rows.AddPortAsync(port, Task.Delay(Timeout.Infinite), CancellationToken.None);
        }

        fixture.Planner.PlanAll(facts);
        await fixture.ApplyAsync();
        return fixture;
    }

    /// <summary>Another agent's flow half, that knows nothing of the one before.</summary>
    public async Task RestartFlowSyncAsync()
    {
        await Flows.DisposeAsync();
        Flows = NewFlowSync();
    }

    public Task ApplyAsync() => Eventually.True("a connection to br-int.mgmt", () => Flows.ApplyAsync(Planner.Flows, Planner.Groups, CancellationToken.None));

    public Task<string> TraceAsync(string packet) => Switch.AppctlAsync("ofproto/trace", "br-int", packet);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        await Flows.DisposeAsync();
        await Rows.DisposeAsync();
        await Switch.DisposeAsync();
        await Database.DisposeAsync();
        _stop.Dispose();
    }

    private FlowSync NewFlowSync()
    {
        var flows = new FlowSync(Options, NullLogger<FlowSync>.Instance);
        _running.Add(flows.RunAsync(() => Interlocked.Increment(ref _wakes), _stop.Token));
        return flows;
    }
}
