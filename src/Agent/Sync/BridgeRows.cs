using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;
using FlowTable = Weft.Ovsdb.OpenVSwitch.FlowTable;
using Weft.Topology;

namespace Weft.Agent.Sync;

/// <summary>The OVSDB side: the bridge, its infrastructure ports, and a port for each attachment.</summary>
/// <remarks>Safe for concurrent use; <see cref="EnsureInfrastructureAsync"/>, <see cref="NoteRestore"/> and <see cref="EndRestoreAsync"/> are called by the agent's loop only.</remarks>
public sealed partial class BridgeRows : IAsyncDisposable
{
    /// <summary>The database is on this host: asking it once a second costs nothing, and pods wait for it.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private const string FlowRestoreWait = "flow-restore-wait";

    /// <summary>How long vswitchd may take for rows that were just written. What takes longer is looked at again when a row changes.</summary>
    private static readonly TimeSpan SwitchPatience = TimeSpan.FromSeconds(3);

    // A row is the same object for as long as it is unchanged: a pod that comes costs the reading of its own rows, not of all others'.
    private static readonly ConditionalWeakTable<Row, BridgePort> ReadRows = [];

    private readonly AgentOptions _options;
    private readonly OvsdbClient _client;
    private readonly ILogger<BridgeRows> _logger;
    private (long Version, ClusterSettings Settings)? _checked;
    private bool _datapathSeen;
    private bool _lookedForRestore;
    private int? _restoreSince;

    /// <summary>Connects to the database of the options.</summary>
    public BridgeRows(AgentOptions options, ILogger<BridgeRows> logger)
    {
        (_options, _logger) = (options, logger);
        _client = OvsdbClient.Start(new OvsdbClientOptions
        {
            Endpoints = [OvsdbEndpoint.Parse(options.Ovsdb)],
            Monitor = MonitorSelection.None
                .Add<OpenVSwitchTable>(OpenVSwitchTable.Bridges, OpenVSwitchTable.Datapaths, OpenVSwitchTable.ExternalIds, OpenVSwitchTable.OtherConfig)
                .Add<Datapath>(Datapath.Capabilities, Datapath.DatapathVersion)
                .Add<Bridge>(Bridge.Name, Bridge.Ports, Bridge.DatapathType, Bridge.DatapathId, Bridge.FailMode, Bridge.FlowTables, Bridge.ExternalIds)
                .Add<FlowTable>(FlowTable.Name)
                .Add<Port>(Port.Name, Port.Interfaces, Port.Qos)
                .Add<Qos>(Qos.Type, Qos.OtherConfig, Qos.Queues, Qos.ExternalIds)
                .Add<Queue>(Queue.OtherConfig, Queue.ExternalIds)
                .Add<Interface>(Interface.Name, Interface.Type, Interface.Options, Interface.OfPort, Interface.OfPortRequest, Interface.Mac, Interface.ExternalIds, Interface.Error),
            Indexes = Infrastructure.Indexes,
            Reconnect = new ReconnectPolicy { Maximum = LongestWait },
            OnTransition = t => LogTransition(logger, t.ToString()),
        });
    }

    /// <summary>How often rows of the bridge and its own ports were made right since the start, the first time included.</summary>
    public long Repaired { get; private set; }

    /// <summary>What the switch says that its data path can do; empty while it has not.</summary>
    public IReadOnlyDictionary<string, string> DatapathCapabilities => _client.Replica.Current is { } current && FindDatapath(current) is { } datapath
        ? datapath.Get(Datapath.Capabilities)
        : OvsdbMap.From<string, string>([]);

    /// <summary>What the data path lacks, a sentence each.</summary>
    public IReadOnlyList<string> DatapathProblems => DatapathFeatures.Missing(_options.DatapathType, DatapathCapabilities);

    /// <summary>Ports of pods that vswitchd could not open.</summary>
    public IEnumerable<BridgePort> FailedPorts => Read(_client.Replica.Current).Where(p => p.Attachment is not null && (p.Error is not null || p.OfPort is -1));

    /// <summary>Ports of the bridge that were made in advance and have no pod yet.</summary>
    public IEnumerable<BridgePort> Spares => Read(_client.Replica.Current).Where(p => p.IsSpare);

    /// <summary>The port with this interface name, or null.</summary>
    public BridgePort? Find(string name) => _client.Replica.Current is { } current ? FindHere(current, name) : null;

    /// <summary>Waits until the database was read, and gives the bridge's ports.</summary>
    public async Task<IReadOnlyList<BridgePort>> ReadAsync(CancellationToken ct) => Read(await _client.WaitUntilLiveAsync(ct).ConfigureAwait(false));

    /// <summary>Whether <see cref="EnsureInfrastructureAsync"/> would change a row now.</summary>
    public bool NeedsRepair(ClusterSettings settings) => _client.Replica.Current is { } current && Infrastructure.Repair(current, _options, settings) is not null;

    /// <summary>Follows the database until cancelled.</summary>
    /// <param name="post">Takes the bridge's ports, after each change; the first time as soon as the database was read.</param>
    public async Task RunAsync(Action<IReadOnlyList<BridgePort>> post, CancellationToken ct)
    {
        try
        {
            post(Read(await _client.WaitUntilLiveAsync(ct).ConfigureAwait(false)));
            await foreach (var change in _client.Replica.ChangesAsync(cancellationToken: ct).ConfigureAwait(false))
            {
                post(Read(change.After));
                LookAtDatapath();
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            LogStopped(_logger);
        }
    }

    /// <summary>Makes the bridge, its table names and its infrastructure ports as planned, and waits a little until vswitchd has them.</summary>
    /// <exception cref="OvsdbConnectionException">The database is away, and what it holds was not yet found right.</exception>
    /// <exception cref="TimeoutException">The rows are right, vswitchd has not followed.</exception>
    /// <exception cref="InvalidOperationException">The rows are right, and vswitchd says why it cannot follow; or somebody else uses a name of ours.</exception>
    public async Task EnsureInfrastructureAsync(NodeFacts facts, CancellationToken ct)
    {
        if (facts.Slice.Settings is not { } settings || _client.Replica.Current is not { } current || _checked == (current.Version, settings))
        {
            return;
        }

        if (_client.State != SessionState.Live)
        {
            throw new OvsdbConnectionException($"ovsdb-server does not answer at {_options.Ovsdb} ({_client.LastFailure?.Message ?? _client.State.ToString()}): is it running?", _client.LastFailure);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        try
        {
            var what = "";
            var outcome = await _client.CommitRetryingAsync(s =>
            {
                var repair = Infrastructure.Repair(s, _options, settings);
                what = repair is null ? "" : string.Join(", ", repair.Operations.Select(o => o.ToString()));
                return repair;
            }, limit.Token).ConfigureAwait(false);
            outcome?.ThrowIfFailed();
            if (outcome is not null)
            {
                Repaired++;
                AgentMetrics.RowsRepaired.Add(1);
                LogRepaired(_logger, _options.Bridge, what);
            }

            // Without a change there is nothing to wait for: it was waited for already.
            var seen = outcome is null ? _client.Replica.Current! : await _client.Replica.WaitForAsync(s => DescribeMissing(s) is not { IsFinal: false }, limit.Token).ConfigureAwait(false);
            if (DescribeMissing(seen) is { } missing)
            {
                throw missing.IsFinal ? new InvalidOperationException(missing.Text) : Late(missing.Text);
            }

            _checked = (seen.Version, settings);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Late(DescribeMissing(_client.Replica.Current)?.Text ?? "its last change is not confirmed");
        }

        TimeoutException Late(string missing) => new($"ovs-vswitchd has not made {_options.Bridge} with its ports: {missing}; is it running?");
    }

    /// <summary>Looks whether vswitchd is to wait for its flows when it starts (<c>other_config:flow-restore-wait</c>, ovs-vswitchd.conf.db(5)).</summary>
    /// <param name="connection">The number of the connection to the switch, 0 before the first.</param>
    public void NoteRestore(int connection)
    {
        if (_client.Replica.Current is not { } current)
        {
            return;
        }

        // What was so when the agent started is of an earlier start of the switch than its first connection.
        _restoreSince = !IsRestoring(current) ? null : _restoreSince ?? (_lookedForRestore ? connection : 0);
        _lookedForRestore = true;
    }

    /// <summary>Lets vswitchd forward again, when it started to wait for its flows and has them.</summary>
    /// <param name="connection">The connection on which they were confirmed. One that is older than the wish is to a switch that is yet to be restarted.</param>
    /// <param name="ct">Ends the attempt.</param>
    public async Task EndRestoreAsync(int connection, CancellationToken ct)
    {
        if (_restoreSince < connection && _client.State == SessionState.Live)
        {
            var outcome = await _client.CommitRetryingAsync(s => IsRestoring(s) ? EndRestore(s) : null, ct).ConfigureAwait(false);
            outcome?.ThrowIfFailed();
            LogRestored(_logger);
        }
    }

    /// <summary>Adds a port and waits until vswitchd has opened it.</summary>
    /// <param name="port">The port with the number that it must get.</param>
    /// <param name="opened">Ends when the switch itself says so, which is earlier than the database does.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="TransactionFailedException">The database refused.</exception>
    /// <exception cref="InvalidOperationException">vswitchd could not open the interface, or gave it another number.</exception>
    public async Task AddPortAsync(AttachedPort port, Task opened, CancellationToken ct)
    {
        var outcome = await _client.CommitRetryingAsync(s => PodPorts.Ensure(s, _options.Bridge, [port]), ct).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var seen = WaitForPortAsync(port, either.Token);
        if (await Task.WhenAny(seen, opened).ConfigureAwait(false) == opened)
        {
            await either.CancelAsync().ConfigureAwait(false);
            await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await opened.ConfigureAwait(false);
        }
        else
        {
            await seen.ConfigureAwait(false);
        }
    }

    /// <summary>Adds ports without pods, in one step, and waits until vswitchd has opened them.</summary>
    /// <param name="ports">Names of interfaces that exist, and the numbers that they must get.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="TransactionFailedException">The database refused.</exception>
    /// <exception cref="InvalidOperationException">vswitchd could not open one, or gave it another number.</exception>
    public async Task AddSparesAsync(IReadOnlyCollection<(string Name, int OfPort)> ports, CancellationToken ct)
    {
        var outcome = await _client.CommitRetryingAsync(s => PodPorts.InsertSpares(s, _options.Bridge, ports), ct).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
        foreach (var (name, ofPort) in ports)
        {
            await WaitForPortAsync(name, ofPort, ct).ConfigureAwait(false);
        }
    }

    private Task WaitForPortAsync(AttachedPort port, CancellationToken ct) => WaitForPortAsync(port.Attachment.HostInterface, port.OfPort, ct);

    private async Task WaitForPortAsync(string name, int ofPort, CancellationToken ct)
    {
        var snapshot = await _client.Replica.WaitForAsync(s => Find(s, name) is { } p && (p.OfPort is not null || p.Error is not null), ct).ConfigureAwait(false);
        var opened = Find(snapshot, name)!;
        if (opened.OfPort != ofPort)
        {
            throw new InvalidOperationException(opened.Error is { } error
                ? $"ovs-vswitchd cannot open {name}: {error}"
                : $"ovs-vswitchd gave {name} the OpenFlow number {opened.OfPort} instead of {ofPort}");
        }
    }

    /// <summary>Makes ports of pods again as they were: somebody else removed or changed their rows.</summary>
    /// <returns>Without waiting for vswitchd.</returns>
    /// <exception cref="TransactionFailedException">The database refused.</exception>
    /// <exception cref="InvalidOperationException">A name is used on another bridge now.</exception>
    public async Task RestorePortsAsync(IReadOnlyCollection<AttachedPort> ports, CancellationToken ct)
    {
        if (ports.Count == 0)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        var what = "";
        var outcome = await _client.CommitRetryingAsync(s =>
        {
            var repair = PodPorts.Ensure(s, _options.Bridge, ports);
            what = repair is null ? "" : string.Join(", ", repair.Operations.Select(o => o.ToString()));
            return repair;
        }, limit.Token).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
        if (outcome is not null)
        {
            Repaired += ports.Count;
            AgentMetrics.RowsRepaired.Add(ports.Count);
            LogRestoredPorts(_logger, string.Join(", ", ports.Select(p => $"{p.Attachment.HostInterface} of pod {p.Attachment.Pod}")), what);
        }
    }

    /// <summary>Removes ports, in one step. Unknown ones are no error.</summary>
    public async Task RemovePortsAsync(IReadOnlyCollection<string> names, CancellationToken ct)
    {
        var outcome = await _client.CommitRetryingAsync(s => PodPorts.Remove(s, _options.Bridge, names), ct).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private void LookAtDatapath()
    {
        if (_datapathSeen || DatapathCapabilities is not { Count: > 0 } capabilities)
        {
            return;
        }

        _datapathSeen = true;
        LogDatapath(_logger, _options.DatapathType, string.Join(", ", capabilities.Where(c => c.Value != "false").Select(c => c.Value == "true" ? c.Key : $"{c.Key}={c.Value}").Order(StringComparer.Ordinal)));
        foreach (var problem in DatapathProblems)
        {
            LogDatapathLacks(_logger, problem);
        }
    }

    private Row<Datapath>? FindDatapath(DatabaseSnapshot snapshot) =>
        snapshot.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.Datapaths).TryGetValue(_options.DatapathType, out var row) ? snapshot.Row<Datapath>(row) : null;

    private Row<Bridge>? FindBridge(DatabaseSnapshot snapshot) =>
        snapshot.Rows<Bridge>().Where(b => b.Get(Bridge.Name) == _options.Bridge).Select(b => (Row<Bridge>?)b).FirstOrDefault();

    private static bool IsRestoring(DatabaseSnapshot snapshot) =>
        snapshot.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.OtherConfig).GetValueOrDefault(FlowRestoreWait) == "true";

    private static Transaction EndRestore(DatabaseSnapshot snapshot)
    {
        var transaction = new Transaction();
        transaction.Mutate(snapshot.Rows<OpenVSwitchTable>().Single().Uuid, OpenVSwitchTable.OtherConfig.DeleteKeys(FlowRestoreWait));
        return transaction;
    }

    /// <summary>What vswitchd has not made yet of the rows; final when waiting does not help.</summary>
    private (string Text, bool IsFinal)? DescribeMissing(DatabaseSnapshot? snapshot)
    {
        if (snapshot is null || FindBridge(snapshot) is not { } bridge || bridge.Get(Bridge.DatapathId) is null)
        {
            return ($"bridge {_options.Bridge} has no datapath id", false);
        }

        foreach (var (name, number) in new[] { (BridgePorts.GatewayName, BridgePorts.Gateway), (BridgePorts.TunnelName, BridgePorts.Tunnel) })
        {
            if (Infrastructure.FindBridgeOf(snapshot, name) is { } owner && owner != _options.Bridge)
            {
                return ($"port {name} is on bridge {owner}: remove it there (ovs-vsctl del-port {owner} {name})", true);
            }

            var device = Infrastructure.FindInterface(snapshot, name);
            var actual = device?.Get(Interface.OfPort);
            if (actual != number)
            {
                return ($"port {name} has OpenFlow number {actual?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}, not {number} {device?.Get(Interface.Error)}".TrimEnd(), actual is -1);
            }
        }

        return null;
    }

    private IReadOnlyList<BridgePort> Read(DatabaseSnapshot? snapshot)
    {
        if (snapshot is null || FindBridge(snapshot) is not { } bridge)
        {
            return [];
        }

        return [.. snapshot.Resolve<Port>(bridge.Get(Bridge.Ports)).SelectMany(p => snapshot.Resolve<Interface>(p.Get(Port.Interfaces)).Select(i => ReadPort(i) with { Limit = PodPorts.LimitOf(snapshot, p) }))];
    }

    private BridgePort? FindHere(DatabaseSnapshot snapshot, string name) =>
        Infrastructure.FindBridgeOf(snapshot, name) == _options.Bridge && Find(snapshot, name) is { } found && Infrastructure.FindPort(snapshot, name) is { } port
            ? found with { Limit = PodPorts.LimitOf(snapshot, port) }
            : null;

    private static BridgePort? Find(DatabaseSnapshot snapshot, string name) => Infrastructure.FindInterface(snapshot, name) is { } row ? ReadPort(row) : null;

    private static BridgePort ReadPort(Row<Interface> row) => ReadRows.GetValue(row.Untyped, static untyped => ReadRow(untyped.As<Interface>()));

    private static BridgePort ReadRow(Row<Interface> row)
    {
        var name = row.Get(Interface.Name);
        var ids = row.Get(Interface.ExternalIds);
        return new BridgePort(name, row.Get(Interface.OfPort), row.Get(Interface.Error), PortIds.Read(name, ids), row.Get(Interface.OfPortRequest), IsSpare: ids.GetValueOrDefault(PortIds.Owner) == PortIds.OwnerSpare);
    }

    [LoggerMessage(3750, LogLevel.Information, "OVSDB connection: {Transition}")]
    private static partial void LogTransition(ILogger logger, string transition);

    [LoggerMessage(3751, LogLevel.Information, "Bridge {Bridge} and its infrastructure ports were made right in OVSDB: {What}")]
    private static partial void LogRepaired(ILogger logger, string bridge, string what);

    [LoggerMessage(3756, LogLevel.Warning, "Somebody else removed or changed rows of pods' ports, putting them right: {Ports}: {What}")]
    private static partial void LogRestoredPorts(ILogger logger, string ports, string what);

    [LoggerMessage(3755, LogLevel.Information, "The switch has its flows again and may forward: flow-restore-wait removed")]
    private static partial void LogRestored(ILogger logger);

    [LoggerMessage(3753, LogLevel.Information, "The data path '{Type}' can do: {Features}")]
    private static partial void LogDatapath(ILogger logger, string type, string features);

    [LoggerMessage(3754, LogLevel.Error, "The {Problem}")]
    private static partial void LogDatapathLacks(ILogger logger, string problem);

    [LoggerMessage(3752, LogLevel.Debug, "OVSDB is not followed any more")]
    private static partial void LogStopped(ILogger logger);
}
