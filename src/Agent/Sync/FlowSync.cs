using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Services;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;

namespace Weft.Agent.Sync;

/// <summary>Keeps the flows of the bridge as planned: reads them back once for each connection, then sends differences.</summary>
/// <remarks>
/// A flow monitor tells what others change, and the switch forwards group and meter mods of others; it is repaired at the next
/// <see cref="ApplyAsync"/>, for which the loop is woken.
/// <see cref="ApplyAsync"/> is called by the agent's loop only.
/// </remarks>
public sealed partial class FlowSync : IAsyncDisposable
{
    private const uint MonitorId = 1;
    private const int MostNamed = 20;
    private const int MostRefusals = 100;

    /// <summary>The switch is on this host: asking it once a second costs nothing, and pods wait for it.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);

    private readonly OpenFlowSwitch _switch;
    private readonly ILogger<FlowSync> _logger;
    private readonly InstalledEntries<FlowKey, Flow> _installed = new();
    private readonly ConcurrentQueue<FlowUpdate> _foreign = new();
    private readonly HashSet<FlowKey> _pending = [];
    private readonly InstalledEntries<uint, Group> _installedGroups = new();
    private readonly HashSet<uint> _pendingGroups = [];
    private readonly RefusedFlows _refused;
    private readonly DatapathCache _datapath;
    private readonly PacketLimit _packets;
    private readonly TimeSpan _patience;

    // What somebody changed and the switch did not tell is found this late.
    private readonly TimeSpan _compareGroupsAfter;
    private int _loadedConnection;
    private volatile bool _groupsMayDiffer;

    /// <summary>Prepares the connection to the bridge's management socket; <see cref="RunAsync"/> makes it.</summary>
    /// <param name="options">Where the switch is.</param>
    /// <param name="logger">The log.</param>
    /// <param name="patience">How long the switch may take to confirm; 30 s.</param>
    /// <param name="compareGroupsAfter">How often groups and the meter are read back, whether or not the switch told of a change; a minute.</param>
    /// <param name="isTold">Whether the switch is asked to tell of group and meter mods of others.</param>
    public FlowSync(AgentOptions options, ILogger<FlowSync> logger, TimeSpan? patience = null, TimeSpan? compareGroupsAfter = null, bool isTold = true)
    {
        (_logger, _patience, _compareGroupsAfter) = (logger, patience ?? TimeSpan.FromSeconds(30), compareGroupsAfter ?? TimeSpan.FromMinutes(1));
        _datapath = new DatapathCache(options, logger);
        _refused = new RefusedFlows(logger);
        _switch = new OpenFlowSwitch(OpenFlowEndpoint.Unix(Path.Combine(options.OvsRunDir, options.Bridge + ".mgmt")), new OpenFlowOptions { Reconnect = new ReconnectPolicy(FirstWait, LongestWait), ForwardRequests = isTold });
        _packets = new PacketLimit(_switch, logger);
        Zones = new ZoneFlushes(_switch.FlushConntrackAsync);
    }

    /// <summary>Flow mods sent since the start.</summary>
    public long FlowsSent { get; private set; }

    /// <summary>Flows that the switch does not take. They are left out until they are planned differently or the switch is another; the rest is in effect.</summary>
    public IReadOnlyDictionary<FlowKey, RefusedFlow> Refused => _refused.All;

    /// <summary>Group mods sent since the start.</summary>
    public long GroupsSent { get; private set; }

    /// <summary>Flows that somebody else had changed, and that were put right.</summary>
    public long Repaired { get; private set; }

    /// <summary>Requests to forget connections that were carried out since the start.</summary>
    public long Forgotten { get; private set; }

    /// <summary>Flows that the switch holds, as far as is known.</summary>
    public int Installed => _installed.Count;

    /// <summary>How often the datapath's cache was emptied; see <see cref="DatapathCache"/>.</summary>
    public long Purges => _datapath.Purges;

    /// <summary>Why there is no connection, as far as that is known.</summary>
    public string WhyNotConnected => _switch.State is { Reason: { } reason } ? reason.Message : _switch.State.State.ToString();

    /// <summary>Connections made since the start.</summary>
    public int Connections => _switch.Connections;

    /// <summary>The switch opened a port, or took one away: name and number, 0 when it is gone. Raised in order; it must not block.</summary>
    public event Action<string, uint>? PortChanged;

    /// <summary>A flow sent a packet to the agent. Raised in order; it must not block.</summary>
    public event Action<PacketIn>? PacketIn;

    /// <summary>Sends a packet.</summary>
    /// <exception cref="OpenFlowConnectionException">The switch is not connected.</exception>
    public Task SendPacketAsync(ReadOnlyMemory<byte> frame, ActionList actions, uint inPort, CancellationToken ct) => _switch.SendPacketAsync(frame, actions, inPort, ct);

    /// <summary>Installs a flow that ends by itself, or renews it; or takes it away.</summary>
    /// <param name="flow">A flow of <see cref="FlowFeature.Lease"/>: nothing compares it with the plan.</param>
    /// <param name="present">False to take it away.</param>
    /// <returns>False when the switch is not connected.</returns>
    public async Task<bool> LeaseAsync(Flow flow, bool present, CancellationToken ct)
    {
        if (_switch.State.State != SwitchState.Live)
        {
            return false;
        }

        var failures = await _switch.SendAsync([present ? FlowMod.Add(flow) : FlowMod.Delete(flow.Key)], ct).ConfigureAwait(false);
        return failures.Length == 0;
    }

    /// <summary>Conntrack zones to be emptied with the next flows.</summary>
    public ZoneFlushes Zones { get; }

    /// <summary>Connects and stays connected until cancelled.</summary>
    /// <param name="wake">Called when there is something to apply: a new connection, a foreign change.</param>
    public async Task RunAsync(Action wake, CancellationToken ct)
    {
        _switch.StateChanged += change =>
        {
            LogState(_logger, change.State, change.Reason?.Message);
            if (change.State is SwitchState.Live or SwitchState.Backoff)
            {
                wake();
            }
        };
        _switch.FlowsChanged += updates =>
        {
            foreach (var update in updates.Where(u => u.Flow is not null && !IsLearned(u.Flow)))
            {
                _foreign.Enqueue(update);
            }

            if (!_foreign.IsEmpty)
            {
                wake();
            }
        };
        _switch.RequestForwarded += _ =>
        {
            // What became of it is read back: a mod may name all groups, or some buckets of one.
            _groupsMayDiffer = true;
            wake();
        };
        _switch.PortStatus += status => PortChanged?.Invoke(status.Port.Name, status.Reason == PortReason.Deleted ? 0 : status.Port.Number);
        _switch.PacketIn += packet => PacketIn?.Invoke(packet);
        _switch.Start();
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(_compareGroupsAfter, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _groupsMayDiffer = true;
            wake();
        }
    }

    /// <summary>Brings the switch in line with the plan and returns when it confirmed.</summary>
    /// <returns>False when the switch is not connected: the plan is compared again when it is.</returns>
    /// <exception cref="OpenFlowErrorException">The switch refused something else than a flow, or very many flows; nothing of this difference is in effect.</exception>
    /// <exception cref="TimeoutException">The switch is there and does not confirm; the next call reads back what it has.</exception>
    public async Task<bool> ApplyAsync(OwnedEntries<FlowKey, Flow> plan, OwnedEntries<uint, Group> groups, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        try
        {
            return await ApplyWithinAsync(plan, groups, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // What it did meanwhile is unknown: another connection, on which everything is read back.
            _loadedConnection = 0;
            _switch.Reconnect("no confirmation in time");
            throw new TimeoutException($"ovs-vswitchd is connected and has not confirmed a change in {_patience.TotalSeconds:0.#} s: is it overloaded or stopped? Its flows are read back and compared");
        }
    }

    private async Task<bool> ApplyWithinAsync(OwnedEntries<FlowKey, Flow> plan, OwnedEntries<uint, Group> groups, CancellationToken ct)
    {
        if (_switch.State.State != SwitchState.Live)
        {
            return false;
        }

        try
        {
            // Before anything is sent on a new connection, too: what was lost with the last one counts as done after that.
            var connection = _switch.Connections;
            await Zones.BeforeFlowsAsync(connection, ct).ConfigureAwait(false);
            if (connection != _loadedConnection)
            {
                await LoadAsync(ct).ConfigureAwait(false);
                plan.TakeChanged();
                groups.TakeChanged();
                _pending.Clear();
                _pendingGroups.Clear();
                _refused.Clear();
                var differentGroups = _installedGroups.CompareAll(groups.All);
                var stale = Replaced(differentGroups);
                await SendAsync(_installed.CompareAll(plan.All), differentGroups, ct).ConfigureAwait(false);
                await ForgetAsync(stale, ct).ConfigureAwait(false);
                _loadedConnection = connection;
            }

            _pending.UnionWith(plan.TakeChanged());
            TakeForeign(plan);
            _refused.ForgetReplanned(plan);
            await RepairGroupsAsync(groups, ct).ConfigureAwait(false);
            _pendingGroups.UnionWith(groups.TakeChanged());
            await SendAsync(_installed.Compare(_pending, plan.TryGet), _installedGroups.Compare(_pendingGroups, groups.TryGet), ct).ConfigureAwait(false);
            await Zones.AfterFlowsAsync(ct).ConfigureAwait(false);
            _pending.Clear();
            _pendingGroups.Clear();
            return true;
        }
        catch (OpenFlowConnectionException)
        {
            _loadedConnection = 0;
            return false;
        }
        catch (OpenFlowErrorException)
        {
            _loadedConnection = 0;
            throw;
        }
    }

    /// <summary>Makes the switch forget connections, after <see cref="ApplyAsync"/>: before, their next packets would be treated as they were.</summary>
    public async Task ForgetAsync(StaleConnections stale, CancellationToken ct)
    {
        if (stale.Waiting.Count > 0)
        {
            var messages = stale.Waiting.ToList();
            await ForgetAsync(messages, ct).ConfigureAwait(false);
            stale.Done(messages.Count);
        }
    }

    private async Task ForgetAsync(List<FlushConntrack> messages, CancellationToken ct)
    {
        try
        {
            await _switch.FlushConntrackAsync(messages, ct).ConfigureAwait(false);
            Forgotten += messages.Count;
        }
        catch (OpenFlowErrorException e)
        {
            // Open vSwitch before 3.1: such connections end when they were idle for their timeout. Everything else is in effect.
            LogNotForgotten(_logger, messages.Count, e.Error.Name);
        }
    }

    /// <summary>Reads the flows with their counters, as the switch has them now.</summary>
    public Task<IReadOnlyList<FlowStats>> ReadAsync(CancellationToken ct) => _switch.DumpFlowsAsync(cancel: ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _datapath.DisposeAsync().ConfigureAwait(false);
        await _switch.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Learned flows, and those that last seconds, come and go by themselves.</summary>
    internal static bool IsLearned(Flow flow) => Cookies.IsOurs(flow.Cookie) && Cookies.FeatureOf(flow.Cookie) is FlowFeature.Affinity or FlowFeature.Lease;

    private async Task LoadAsync(CancellationToken ct)
    {
        // First listen, then read: a change in between is heard of, and hearing of it twice does no harm.
        _foreign.Clear();
        await _packets.SetAsync(ct).ConfigureAwait(false);
        await _switch.MonitorFlowsAsync(MonitorId, cancel: ct).ConfigureAwait(false);
        var dump = await _switch.DumpFlowsAsync(cancel: ct).ConfigureAwait(false);
        _installed.Reload(dump.Where(f => !IsLearned(f.Flow)).Select(f => KeyValuePair.Create(f.Flow.Key, f.Flow)));
        _installedGroups.Reload((await _switch.DumpGroupsAsync(ct).ConfigureAwait(false)).Select(g => KeyValuePair.Create(g.Id, g)));
        LogLoaded(_logger, _installed.Count, _installedGroups.Count);
    }

    /// <summary>An earlier agent's groups may name endpoints that went while nobody looked.</summary>
    private List<FlushConntrack> Replaced(Difference<uint, Group> difference) =>
        [.. difference.Upserts.SelectMany(g => _installedGroups.TryGet(g.Key, out var before) ? StaleConnections.Between(before!, g.Value) : []).Distinct()];

    private void TakeForeign(OwnedEntries<FlowKey, Flow> plan)
    {
        while (_foreign.TryDequeue(out var update))
        {
            var flow = update.Flow!;
            var present = update.Event != FlowUpdateEvent.Deleted;
            _installed.Observe(flow.Key, flow, present);
            var wanted = plan.TryGet(flow.Key, out var planned);
            if (present ? !wanted || planned! != flow : wanted)
            {
                Repaired++;
                AgentMetrics.DriftRepaired.Add(1);
                _pending.Add(flow.Key);
                _groupsMayDiffer |= !present;
                LogForeign(_logger, update.Event, flow.ToString());
            }
        }
    }

    /// <summary>After a group or meter mod of somebody else, after flows that vanished (with their group), and once in a while: what the switch has is read back.</summary>
    private async Task RepairGroupsAsync(OwnedEntries<uint, Group> plan, CancellationToken ct)
    {
        if (!_groupsMayDiffer)
        {
            return;
        }

        _groupsMayDiffer = false;
        if (await _packets.RepairAsync(ct).ConfigureAwait(false))
        {
            Repaired++;
            AgentMetrics.DriftRepaired.Add(1);
        }

        var own = plan.TakeChanged();
        _installedGroups.Reload((await _switch.DumpGroupsAsync(ct).ConfigureAwait(false)).Select(g => KeyValuePair.Create(g.Id, g)));
        var different = _installedGroups.CompareAll(plan.All);
        var foreign = different.Upserts.Concat(different.Deletes).Select(g => g.Key).Where(id => !own.Contains(id) && !_pendingGroups.Contains(id)).ToList();
        _pendingGroups.UnionWith(own);
        if (foreign.Count == 0)
        {
            return;
        }

        Repaired += foreign.Count;
        AgentMetrics.DriftRepaired.Add(foreign.Count);
        LogForeignGroups(_logger, foreign.Count, string.Join("; ", foreign.Take(MostNamed).Select(id => Change(id, plan))));
        _pendingGroups.UnionWith(foreign);

        // A flow may have been refused only because its group was not there.
        _pending.UnionWith(_refused.Clear());
    }

    private string Change(uint id, OwnedEntries<uint, Group> plan) => !_installedGroups.TryGet(id, out var now) ? $"group {id} was deleted"
        : plan.TryGet(id, out _) ? $"group {id} was changed to {now}"
        : $"group {id} was added: {now}";

    private async Task SendAsync(Difference<FlowKey, Flow> difference, Difference<uint, Group> groups, CancellationToken ct)
    {
        if (difference.IsEmpty && groups.IsEmpty)
        {
            return;
        }

        for (var attempt = 1; ; attempt++)
        {
            var accepted = _refused.LeaveOut(difference);
            var messages = ChangeMessages.Of(accepted, groups);
            if (messages.Count == 0)
            {
                return;
            }

            // One flow that cannot be must not keep the others out: it is left out, by the switch itself or by the next attempt.
            var outcome = await _switch.ApplyReadableAsync(messages, ct).ConfigureAwait(false);
            var known = outcome.Failures.Count(_refused.Take);
            if (known < outcome.Failures.Length || (!outcome.Committed && attempt > MostRefusals))
            {
                outcome.ThrowIfFailed();
            }

            if (outcome.Committed)
            {
                Confirm(_refused.LeaveOut(accepted), groups);
                return;
            }
        }
    }

    private void Confirm(Difference<FlowKey, Flow> flows, Difference<uint, Group> groups)
    {
        _installed.Confirm(flows);
        _installedGroups.Confirm(groups);
        FlowsSent += flows.Count;
        AgentMetrics.FlowsSent.Add(flows.Count);
        GroupsSent += groups.Count;
        Zones.Confirm();
        _datapath.FlowsChanged();
        LogSent(_logger, flows.Upserts.Count, flows.Deletes.Count, groups.Upserts.Count, groups.Deletes.Count);
    }

    [LoggerMessage(3740, LogLevel.Information, "OpenFlow connection: {State} {Reason}")]
    private static partial void LogState(ILogger logger, SwitchState state, string? reason);

    [LoggerMessage(3741, LogLevel.Information, "The switch holds {Flows} flows and {Groups} groups")]
    private static partial void LogLoaded(ILogger logger, int flows, int groups);

    [LoggerMessage(3742, LogLevel.Information, "Flows sent: {Upserts} added or changed, {Deletes} deleted; groups: {GroupUpserts} added or changed, {GroupDeletes} deleted")]
    private static partial void LogSent(ILogger logger, int upserts, int deletes, int groupUpserts, int groupDeletes);

    [LoggerMessage(3745, LogLevel.Warning, "{Count} kinds of UDP connections could not be ended ({Error}): they move to other endpoints only after their timeout; Open vSwitch 3.1 or later ends them")]
    private static partial void LogNotForgotten(ILogger logger, int count, string error);

    [LoggerMessage(3749, LogLevel.Warning, "Somebody else changed {Count} groups, putting them right: {What}")]
    private static partial void LogForeignGroups(ILogger logger, int count, string what);

    [LoggerMessage(3743, LogLevel.Warning, "Somebody else changed a flow ({Event}), putting it right: {Flow}")]
    private static partial void LogForeign(ILogger logger, FlowUpdateEvent @event, string flow);
}
