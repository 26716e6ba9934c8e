using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Names;
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
    private readonly NameJournal _names;
    private readonly TimeProvider _time;
    private readonly ILogger<AgentLoop> _logger;
    private readonly FlowPlanner _planner = new();
    private readonly OfPorts _ofPorts = new();
    private readonly Channel<Action> _inbox = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly FlowWaiters _waiters;
    private readonly SyncTimes _times;
    private readonly ZoneBlocks _zones = new();
    private readonly FactsWaiters _expecting = new();

    /// <summary>How long a batch waits for the port of a pod that it brings, when the runtime has asked for the pod already.</summary>
    private static readonly TimeSpan Join = TimeSpan.FromMilliseconds(5);

    private const int MostNamed = 20;
    private const string SwitchNotInLine = "SwitchNotInLine";

    private readonly AttachedRows _attached;

    private NodeFacts _facts;
    private bool _rowsKnown;
    private bool _planned;
    private int _failures;

    /// <summary>Prepares the loop.</summary>
    /// <param name="start">The slice to begin with: the one on disk, or empty.</param>
    /// <param name="names">What pods learned of names, on disk too.</param>
    public AgentLoop(AgentOptions options, Slice start, NameJournal names, FlowSync flows, BridgeRows rows, HostSync host, TimeProvider time, ILogger<AgentLoop> logger)
    {
        (_options, _names, _flows, _rows, _host, _time, _logger) = (options, names, flows, rows, host, time, logger);
        (_waiters, _times, _attached) = (new FlowWaiters(), new SyncTimes(time), new AttachedRows(rows));
        _facts = new NodeFacts { NodeName = options.NodeName, Slice = start, Names = names.Read(), SwitchAdvertises = DatapathFeatures.WritesAdvertisements(options.DatapathType) };
        Published = new AgentState(_facts, Synced: false, Revision: -1, Problems: [], RowsKnown: false);
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
                _times.Received(change, received);
                _planner.PlanItems(_facts, change.Changed);
            }
        });
    }

    /// <summary>Waits until the facts have something, and gives it before the switch is told of it: who then calls <see cref="AddAsync"/> at once is in the same bundle.</summary>
    internal Task<T> ExpectAsync<T>(Func<NodeFacts, T?> look, CancellationToken ct)
        where T : class => _expecting.WaitAsync(look, () => Published.Facts, ct);

    /// <summary>Asks the plan something on the loop, between two batches.</summary>
    internal Task<T> AskAsync<T>(Func<FlowPlanner, T> question, CancellationToken ct) => OnLoopAsync(() => question(_planner)).WaitAsync(ct);

    /// <summary>Ends when everything that was posted before is in the facts and the plan: no batch that begins later can be of older facts.</summary>
    public Task CaughtUpAsync(CancellationToken ct) => AskAsync(static _ => true, ct);

    /// <summary>Takes the ports that OVSDB shows. The first call makes attachments of an earlier agent known.</summary>
    public void Post(IReadOnlyList<BridgePort> ports) => Enqueue(() => TakeRows(ports));

    /// <summary>The switch connection changed, or the switch holds something else than it was told.</summary>
    public void Wake() => Enqueue(static () => { });

    /// <summary>Adds an attachment to the facts.</summary>
    /// <returns>The port number, and a task that ends when the switch confirmed the flows.</returns>
    public Task<(AttachedPort Port, Task Confirmed)> AddAsync(Attachment attachment) => OnLoopAsync(() => Add(attachment));

    /// <summary>The port of an attachment has its rows: from now on they are put right when somebody else changes them.</summary>
    public void NoteAttached(string portId) => _attached.Note(portId);

    /// <summary>Removes an attachment from the facts.</summary>
    /// <returns>A task that ends when the switch confirmed that its flows are gone.</returns>
    public async Task RemoveAsync(string portId) => await (await OnLoopAsync(() => Remove(portId)).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Keeps port numbers for ports that are made before their pods come.</summary>
    /// <exception cref="InvalidOperationException">All numbers are in use; <see cref="ForgetAsync"/> gives back what was kept.</exception>
    public Task<List<(string Name, int OfPort)>> ReserveAsync(IReadOnlyList<string> names) => OnLoopAsync(() => names.Select(n => (n, _ofPorts.Reserve(n))).ToList());

    /// <summary>Ports that were made in advance are gone without having had a pod.</summary>
    public Task ForgetAsync(IReadOnlyList<string> names) => OnLoopAsync(() =>
    {
        names.ToList().ForEach(_ofPorts.Forget);
        return true;
    });

    /// <summary>Takes what a name server told a pod, as far as rules are about it.</summary>
    /// <returns>A task that ends when the switch holds the flows of the addresses; null when it does already, or needs none.</returns>
    public Task<Task?> LearnAsync(string portId, IReadOnlyList<DnsAnswer> answers) => OnLoopAsync(() => Learn(portId, answers));

    /// <summary>Lets addresses of names expire. To be called about once a second.</summary>
    public void PassTime()
    {
        if (Published.Facts.Names.ByPort.Count > 0)
        {
            Enqueue(() => TakeNames(_facts.Names.Pass(_time.GetUtcNow())));
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (await _inbox.Reader.WaitToReadAsync(ct).ConfigureAwait(false))
        {
            TakeSteps();
            if (_expecting.Tell(_facts))
            {
                // Each bundle is a turn of ovs-vswitchd's loop, which takes the longer the more ports it has: a pod should cost one.
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
                patience.CancelAfter(Join);
                Task next = _inbox.Reader.WaitToReadAsync(patience.Token).AsTask();
                await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                TakeSteps();
            }

            _times.BatchBegins();
            await ReconcileAsync(ct).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _inbox.Writer.TryComplete();
        _waiters.Fail(new ObjectDisposedException(nameof(AgentLoop)));
        return ValueTask.CompletedTask;
    }

    private void TakeSteps()
    {
        while (_inbox.Reader.TryRead(out var step))
        {
            step();
        }
    }

    private void Enqueue(Action step)
    {
        _times.EventCame();
        _inbox.Writer.TryWrite(step);
    }

    private async Task<T> OnLoopAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (InvalidOperationException e)
            {
                done.SetException(e);
            }
        });
        return await done.Task.ConfigureAwait(false);
    }

    private (AttachedPort Port, Task Confirmed) Add(Attachment attachment)
    {
        var id = AttachedPort.IdOf(attachment.ContainerId, attachment.IfName);
        var ofPort = _facts.Ports.TryGetValue(id, out var known) ? known.OfPort : _ofPorts.TakeFor(attachment.HostInterface);
        var port = new AttachedPort(_zones.In(attachment, _facts.Ports.Values, _flows.Zones), ofPort);
        _facts = _facts with { Ports = _facts.Ports.SetItem(id, port) };
        _host.Add(attachment);
        _planner.PlanPort(_facts, port);
        return (port, _waiters.Add(id));
    }

    private Task Remove(string portId)
    {
        if (_facts.Ports.TryGetValue(portId, out var port))
        {
            _facts = _facts with { Ports = _facts.Ports.Remove(portId) };
            _attached.Forget(portId);
            _host.Remove(port.Attachment);
            TakeNames(_facts.Names.Without(portId));
            _ofPorts.Release(port.OfPort);
            _planner.PlanPort(_facts, port);
        }

        return _waiters.Add(null);
    }

    private Task? Learn(string portId, IReadOnlyList<DnsAnswer> answers)
    {
        if (!_planned || !_facts.Ports.TryGetValue(portId, out var port))
        {
            return null;
        }

        var names = _facts.Names;
        foreach (var answer in answers.Where(a => a.Addresses.Count > 0 && _planner.Policies.Wants(_facts, port.Attachment.Pod, a.Name)))
        {
            names = names.Learn(portId, answer, _time.GetUtcNow(), TimeSpan.FromSeconds(_options.MinimumNameTtl));
        }

        return TakeNames(names) ? _waiters.Add(null) : null;
    }

    /// <summary>Takes over what is known of names, first on disk: an agent that starts again must not know less than the switch.</summary>
    /// <returns>Whether it means other flows.</returns>
    private bool TakeNames(LearnedNames names)
    {
        var before = _facts.Names;
        if (ReferenceEquals(names, before))
        {
            return false;
        }

        _names.Save(names);
        _facts = _facts with { Names = names };
        var different = before.ByPort.Keys.Union(names.ByPort.Keys, StringComparer.Ordinal).Where(p => !before.SameFlows(names, p)).ToList();
        if (_planned)
        {
            different.ForEach(p => _planner.PlanNames(_facts, p));
        }

        return different.Count > 0;
    }

    private void TakeRows(IReadOnlyList<BridgePort> rows)
    {
        // After the first time, attachments come and go through Add and Remove only; rows tell their state.
        if (!_rowsKnown)
        {
            _rowsKnown = true;
            var ports = _facts.Ports.ToBuilder();
            foreach (var port in rows.Select(r => r.Attached).OfType<AttachedPort>())
            {
                ports.TryAdd(port.Id, port);
                NoteAttached(port.Id);
                _host.Add(port.Attachment);
                _ofPorts.Use(port.OfPort);
            }

            foreach (var spare in rows.Where(r => r.SpareNumber is not null))
            {
                _ofPorts.Reserve(spare.Name, spare.SpareNumber!.Value);
            }

            _facts = _facts with { Ports = ports.ToImmutable() };

            // What pods learned that went while no agent ran.
            var left = _facts.Names.ByPort.Keys.Where(p => !_facts.Ports.ContainsKey(p));
            TakeNames(left.Aggregate(_facts.Names, (names, port) => names.Without(port)).Pass(_time.GetUtcNow()));
        }

        var byId = rows.Where(r => r.Attachment is not null).ToDictionary(r => AttachedPort.IdOf(r.Attachment!.ContainerId, r.Attachment.IfName), StringComparer.Ordinal);
        foreach (var (id, row) in byId)
        {
            // vswitchd may give another number than the one asked for, when that one is taken.
            if (_facts.Ports.TryGetValue(id, out var port) && row.OfPort is > 0 and var actual && actual != port.OfPort && actual <= Plan.Pipeline.BridgePorts.LastPod)
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

        _attached.Compare(_facts, byId);
    }

    private async Task EnsureRowsAsync(CancellationToken ct)
    {
        await _rows.EnsureInfrastructureAsync(_facts, ct).ConfigureAwait(false);
        await _attached.RestoreAsync(_facts, ct).ConfigureAwait(false);
    }

    private async Task ReconcileAsync(CancellationToken ct)
    {
        // Nothing is compared, and so nothing deleted, before every input is known.
        if (!_facts.Slice.IsKnown || !_rowsKnown)
        {
            Publish(synced: false, []);
            return;
        }

        if (!_planned)
        {
            _planner.PlanAll(_facts);
            _planned = true;
            AgentMetrics.FullRecomputes.Add(1);
        }

        var begun = _time.GetTimestamp();
        var problems = new List<NodeProblem>();
        var failed = false;
        var bridge = $"bridge {_options.Bridge}";

        _rows.NoteRestore(_flows.Connections);

        // One part that fails keeps no other from its work; each remembers what it has done, so a retry repeats only what failed.
        await TryAsync("PortsNotInLine", bridge, () => EnsureRowsAsync(ct)).ConfigureAwait(false);
        await TryAsync("HostNotInLine", $"node {_options.NodeName}", () => _host.ApplyAsync(_facts, _planner.HostServices, ct)).ConfigureAwait(false);
        await TryAsync(SwitchNotInLine, bridge, () => ApplyFlowsAsync(begun, problems, ct)).ConfigureAwait(false);
        await TryAsync("HostNotInLine", $"node {_options.NodeName}", () => _host.ForgetAsync(ct)).ConfigureAwait(false);
        if (failed)
        {
            RetryLater(ct);
        }
        else
        {
            _failures = 0;
        }

        problems.AddRange(_planner.NotPlanned.Take(MostNamed).Select(p => new NodeProblem(AgentState.NotPlanned, p.Key, $"{p.Value}; its traffic is dropped until the controller says it otherwise")));
        Publish(synced: problems.Count == 0, problems);

        async Task TryAsync(string reason, string subject, Func<Task> work)
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                LogFailed(_logger, e, subject, e.Message);
                problems.Add(new NodeProblem(reason, subject, e.Message));
                if (reason == SwitchNotInLine)
                {
                    _waiters.Fail(e);
                }

                failed = true;
            }
        }
    }

    private async Task ApplyFlowsAsync(long begun, List<NodeProblem> problems, CancellationToken ct)
    {
        if (!await _flows.ApplyAsync(_planner.Flows, _planner.Groups, ct).ConfigureAwait(false))
        {
            problems.Add(new NodeProblem(SwitchNotInLine, $"bridge {_options.Bridge}", $"the switch is not connected ({_flows.WhyNotConnected})"));
            return;
        }

        await _flows.ForgetAsync(_planner.Stale, ct).ConfigureAwait(false);
        _times.Confirmed(begun, _planner.Computed + _planner.Policies.PoliciesCompiled);
        _waiters.Answer(_flows.Refused, _planner);
        await _rows.EndRestoreAsync(_flows.Connections, ct).ConfigureAwait(false);
        if (_flows.Refused.Values.FirstOrDefault() is { } refused)
        {
            problems.Add(new NodeProblem(SwitchNotInLine, $"bridge {_options.Bridge}",
                $"{_flows.Refused.Count} flows are refused by the switch, the first with {refused.Error}: {refused.Flow}"));
        }
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

    private void Publish(bool synced, IReadOnlyCollection<NodeProblem> problems)
    {
        Published = new AgentState(_facts, synced, synced ? _facts.Slice.Revision : Published.Revision, problems.ToEquatableArray(), _rowsKnown);
        _expecting.Tell(_facts);
        Changed?.Invoke(Published);
    }

    [LoggerMessage(3700, LogLevel.Error, "The {Subject} could not be brought in line, trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string subject, string reason);
}
