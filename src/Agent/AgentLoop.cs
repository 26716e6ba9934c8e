using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>Owns the facts and the plan. One loop takes events in order and brings the switch in line after each batch.</summary>
/// <remarks>
/// <code>
///   node stream ─┐
///   OVSDB rows ──┤
///   CNI calls ───┼─► inbox ─► facts ─► dirty owners ─► FlowPlanner ─► FlowSync ─► barrier ─► waiters
///   switch ──────┘                                └──► HostSync
/// </code>
/// Everything that is private here is touched by the loop only. While a bundle is under way events queue, so a burst of them
/// costs one bundle.
/// </remarks>
public sealed partial class AgentLoop : IAsyncDisposable
{
    private readonly AgentOptions _options;
    private readonly FlowSync _flows;
    private readonly BridgeRows _rows;
    private readonly HostSync _host;
    private readonly TimeProvider _time;
    private readonly ILogger<AgentLoop> _logger;
    private readonly FlowPlanner _planner = new();
    private readonly OfPorts _ofPorts = new();
    private readonly Channel<Action> _inbox = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<(string? PortId, TaskCompletionSource Done)> _awaitingFlows = [];

    private NodeFacts _facts;
    private bool _rowsKnown;
    private bool _planned;
    private int _failures;
    private int _lastZoneBlock;

    // Time stamps of the oldest event, and of the oldest change of a policy, that the switch has not confirmed yet; 0 for none.
    private long _eventSince;
    private long _unconfirmedSince;
    private long _policySince;
    private long _computed;

    /// <summary>Prepares the loop.</summary>
    /// <param name="start">The slice to begin with: the one on disk, or empty.</param>
    public AgentLoop(AgentOptions options, Slice start, FlowSync flows, BridgeRows rows, HostSync host, TimeProvider time, ILogger<AgentLoop> logger)
    {
        (_options, _flows, _rows, _host, _time, _logger) = (options, flows, rows, host, time, logger);
        _facts = new NodeFacts { NodeName = options.NodeName, Slice = start, PodsAreKnown = false, SwitchAdvertises = DatapathFeatures.WritesAdvertisements(options.DatapathType) };
        Published = new AgentState(_facts, Synced: false, Revision: -1, LastError: null, RowsKnown: false);
    }

    /// <summary>The state after the last batch, for readers on any thread.</summary>
    public AgentState Published { get; private set; }

    /// <summary>Raised on the loop after every batch; handlers must be quick.</summary>
    public event Action<AgentState>? Changed;

    /// <summary>Work counters of the planner, for tests and metrics.</summary>
    public FlowPlanner Planner => _planner;

    /// <summary>Takes a step of the node stream.</summary>
    public void Post(SliceChange change)
    {
        var received = _time.GetTimestamp();
        Enqueue(() =>
        {
            var wasKnown = _facts.Slice.IsKnown;
            _facts = _facts with { Slice = change.Slice };
            if (_planned && wasKnown)
            {
                if (_policySince == 0 && change.Changed.Any(c => c.Kind is ItemKind.Policy or ItemKind.AddressSet or ItemKind.PortSet))
                {
                    _policySince = received;
                }

                _planner.PlanItems(_facts, change.Changed);
            }

            TakePodsAsKnown();
        });
    }

    /// <summary>The controller said that there is nothing new: what the slice does not have is gone.</summary>
    public void ConfirmPods() => Enqueue(TakePodsAsKnown);

    /// <summary>Asks the plan something on the loop, between two batches.</summary>
    internal async Task<T> AskAsync<T>(Func<FlowPlanner, T> question, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _inbox.Writer.TryWrite(() => answer.SetResult(question(_planner)));
        return await answer.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Takes the ports that OVSDB shows. The first call makes attachments of an earlier agent known.</summary>
    public void Post(IReadOnlyList<BridgePort> ports) => Enqueue(() => TakeRows(ports));

    /// <summary>The switch connection changed, or the switch holds something else than it was told.</summary>
    public void Wake() => Enqueue(static () => { });

    /// <summary>Adds an attachment to the facts.</summary>
    /// <returns>The port number, and a task that ends when the switch confirmed the flows.</returns>
    public async Task<(AttachedPort Port, Task Confirmed)> AddAsync(Attachment attachment)
    {
        var taken = new TaskCompletionSource<(AttachedPort, Task)>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            try
            {
                taken.SetResult(Add(attachment));
            }
            catch (InvalidOperationException e)
            {
                taken.SetException(e);
            }
        });
        return await taken.Task.ConfigureAwait(false);
    }

    /// <summary>Removes an attachment from the facts.</summary>
    /// <returns>A task that ends when the switch confirmed that its flows are gone.</returns>
    public async Task RemoveAsync(string portId)
    {
        var taken = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            if (_facts.Ports.TryGetValue(portId, out var port))
            {
                _facts = _facts with { Ports = _facts.Ports.Remove(portId) };
                _ofPorts.Release(port.OfPort);
                _planner.PlanPort(_facts, port);
            }

            taken.SetResult(AwaitFlows(null));
        });
        await (await taken.Task.ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (await _inbox.Reader.WaitToReadAsync(ct).ConfigureAwait(false))
        {
            while (_inbox.Reader.TryRead(out var step))
            {
                step();
            }

            if (Interlocked.Exchange(ref _eventSince, 0) is not 0 and var since && _unconfirmedSince == 0)
            {
                _unconfirmedSince = since;
            }

            await ReconcileAsync(ct).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _inbox.Writer.TryComplete();
        FailWaiters(new ObjectDisposedException(nameof(AgentLoop)));
        return ValueTask.CompletedTask;
    }

    private void Enqueue(Action step)
    {
        Interlocked.CompareExchange(ref _eventSince, _time.GetTimestamp(), 0);
        _inbox.Writer.TryWrite(step);
    }

    private void Measure(long begun)
    {
        AgentMetrics.SyncDuration.Record(_time.GetElapsedTime(begun).TotalSeconds);
        if (_unconfirmedSince != 0)
        {
            AgentMetrics.SyncDelay.Record(_time.GetElapsedTime(_unconfirmedSince).TotalSeconds);
        }

        if (_policySince != 0)
        {
            AgentMetrics.PolicyLatency.Record(_time.GetElapsedTime(_policySince).TotalSeconds);
        }

        AgentMetrics.Recomputes.Add(_planner.Computed + _planner.Policies.PoliciesCompiled - _computed);
        _computed = _planner.Computed + _planner.Policies.PoliciesCompiled;
        (_unconfirmedSince, _policySince) = (0, 0);
    }

    private void TakePodsAsKnown()
    {
        if (_facts.PodsAreKnown)
        {
            return;
        }

        _facts = _facts with { PodsAreKnown = true };
        foreach (var port in _facts.Ports.Values.Where(p => _planned && _facts.Slice.Port(p.Attachment.Pod) is null))
        {
            _planner.PlanPort(_facts, port);
        }
    }

    private (AttachedPort Port, Task Confirmed) Add(Attachment attachment)
    {
        var id = AttachedPort.IdOf(attachment.ContainerId, attachment.IfName);
        var ofPort = _facts.Ports.TryGetValue(id, out var known) ? known.OfPort : _ofPorts.Take();
        var port = new AttachedPort(WithZones(attachment), ofPort);
        _facts = _facts with { Ports = _facts.Ports.SetItem(id, port) };
        _planner.PlanPort(_facts, port);
        return (port, AwaitFlows(id));
    }

    /// <summary>Gives a tenant's network its conntrack zones when its first pod comes; every port of it carries their number through restarts.</summary>
    private Attachment WithZones(Attachment attachment)
    {
        if (attachment.NetworkKey == Network.DefaultKey)
        {
            return attachment;
        }

        var tenants = _facts.Ports.Values.Select(p => p.Attachment).Where(a => a.NetworkKey != Network.DefaultKey).ToList();
        if (tenants.Find(a => a.NetworkKey == attachment.NetworkKey) is { } known)
        {
            return attachment with { ZoneBlock = known.ZoneBlock };
        }

        var used = tenants.Select(a => a.ZoneBlock).ToHashSet();
        for (var i = 0; i < ConntrackZones.LastBlock; i++)
        {
            _lastZoneBlock = (_lastZoneBlock % ConntrackZones.LastBlock) + 1;
            if (!used.Contains(_lastZoneBlock))
            {
                // What an earlier network of these zones left must not be taken for this one's.
                ConntrackZones.OfBlock(_lastZoneBlock).ToList().ForEach(_flows.FlushZone);
                return attachment with { ZoneBlock = _lastZoneBlock };
            }
        }

        throw new InvalidOperationException($"this node has pods of {used.Count} tenant networks, and conntrack zones for no more: move pods to another node");
    }

    private Task AwaitFlows(string? portId)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaitingFlows.Add((portId, waiter));
        return waiter.Task;
    }

    private void AnswerWaiters()
    {
        foreach (var (portId, done) in _awaitingFlows)
        {
            if (portId is not null && _flows.Refused.Values.FirstOrDefault(f => _planner.OwnsFlow(portId, f.Flow.Key)) is { } refused)
            {
                done.SetException(new InvalidOperationException($"the switch does not take a flow of the pod ({refused.Error}): {refused.Flow}"));
            }
            else
            {
                done.SetResult();
            }
        }

        _awaitingFlows.Clear();
    }

    private void TakeRows(IReadOnlyList<BridgePort> rows)
    {
        // After the first time, attachments come and go through Add and Remove only; rows tell their state.
        if (!_rowsKnown)
        {
            _rowsKnown = true;
            var ports = _facts.Ports.ToBuilder();
            foreach (var port in AttachedTo(rows))
            {
                ports.TryAdd(port.Id, port);
                _ofPorts.Use(port.OfPort);
            }

            _facts = _facts with { Ports = ports.ToImmutable() };
        }

        var byId = rows.Where(r => r.Attachment is not null).ToDictionary(r => AttachedPort.IdOf(r.Attachment!.ContainerId, r.Attachment.IfName), StringComparer.Ordinal);
        foreach (var (id, port) in _facts.Ports)
        {
            // vswitchd may give another number than the one asked for, when that one is taken.
            if (byId.GetValueOrDefault(id)?.OfPort is > 0 and var actual && actual != port.OfPort && actual <= Plan.Pipeline.BridgePorts.LastPod)
            {
                _ofPorts.Release(port.OfPort);
                _ofPorts.Use((int)actual);
                var moved = port with { OfPort = (int)actual };
                _facts = _facts with { Ports = _facts.Ports.SetItem(id, moved) };
                if (_planned)
                {
                    _planner.PlanPort(_facts, moved);
                }
            }
        }
    }

    /// <summary>The attachments that an agent finds in the rows of an earlier one.</summary>
    internal static IEnumerable<AttachedPort> AttachedTo(IEnumerable<BridgePort> rows) => rows
        .Select(row => row.Attachment is { } attachment && OfPortOf(row) is { } ofPort ? new AttachedPort(attachment, ofPort) : null)
        .OfType<AttachedPort>();

    private static int? OfPortOf(BridgePort row) =>
        row.OfPort is > 0 and <= Plan.Pipeline.BridgePorts.LastPod and var given ? (int)given
        : row.RequestedOfPort is > 0 and <= Plan.Pipeline.BridgePorts.LastPod and var asked ? (int)asked
        : null;

    private async Task ReconcileAsync(CancellationToken ct)
    {
        // Nothing is compared, and so nothing deleted, before every input is known.
        if (!_facts.Slice.IsKnown || !_rowsKnown)
        {
            Publish(synced: false, error: null);
            return;
        }

        if (!_planned)
        {
            _planner.PlanAll(_facts);
            _planned = true;
            AgentMetrics.FullRecomputes.Add(1);
        }

        var begun = _time.GetTimestamp();
        try
        {
            await _rows.EnsureInfrastructureAsync(_facts, ct).ConfigureAwait(false);
            await _host.ApplyAsync(_facts, _planner.HostServices, ct).ConfigureAwait(false);
            if (!await _flows.ApplyAsync(_planner.Flows, _planner.Groups, ct).ConfigureAwait(false))
            {
                Publish(synced: false, error: "the switch is not connected");
                return;
            }

            await _flows.ForgetAsync(_planner.Stale, ct).ConfigureAwait(false);
            _failures = 0;
            Measure(begun);
            AnswerWaiters();
            var refused = _flows.Refused.Values.FirstOrDefault();
            Publish(synced: refused is null, refused is null ? null : $"{_flows.Refused.Count} flows are refused by the switch, the first with {refused.Error}: {refused.Flow}");
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            LogFailed(_logger, e, e.Message);
            FailWaiters(e);
            Publish(synced: false, error: e.Message);
            RetryLater(ct);
        }
    }

    private void FailWaiters(Exception reason)
    {
        foreach (var (_, done) in _awaitingFlows)
        {
            done.TrySetException(reason);
        }

        _awaitingFlows.Clear();
    }

    private void RetryLater(CancellationToken ct)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Min(5000, 100 << Math.Min(_failures++, 6)));
        _ = WakeAfterAsync();

        async Task WakeAfterAsync()
        {
            await Task.Delay(wait, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Wake();
        }
    }

    private void Publish(bool synced, string? error)
    {
        Published = new AgentState(_facts, synced, synced ? _facts.Slice.Revision : Published.Revision, error, _rowsKnown);
        Changed?.Invoke(Published);
    }

    [LoggerMessage(3700, LogLevel.Error, "The switch could not be brought in line, trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string reason);
}
