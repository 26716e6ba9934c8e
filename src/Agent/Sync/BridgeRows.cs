using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;
using FlowTable = Weft.Ovsdb.OpenVSwitch.FlowTable;
using Weft.Topology;

namespace Weft.Agent.Sync;

/// <summary>The OVSDB side: the bridge, its infrastructure ports, and a port for each attachment.</summary>
/// <remarks>Safe for concurrent use; <see cref="EnsureInfrastructureAsync"/> is called by the agent's loop only.</remarks>
public sealed partial class BridgeRows : IAsyncDisposable
{
    private static readonly TimeSpan SwitchPatience = TimeSpan.FromSeconds(15);

    private readonly AgentOptions _options;
    private readonly OvsdbClient _client;
    private readonly ILogger<BridgeRows> _logger;
    private (long Version, ClusterSettings Settings)? _checked;
    private bool _datapathSeen;

    /// <summary>Connects to the database of the options.</summary>
    public BridgeRows(AgentOptions options, ILogger<BridgeRows> logger)
    {
        (_options, _logger) = (options, logger);
        _client = OvsdbClient.Start(new OvsdbClientOptions
        {
            Endpoints = [OvsdbEndpoint.Parse(options.Ovsdb)],
            Monitor = MonitorSelection.None
                .Add<OpenVSwitchTable>(OpenVSwitchTable.Bridges, OpenVSwitchTable.Datapaths, OpenVSwitchTable.ExternalIds)
                .Add<Datapath>(Datapath.Capabilities, Datapath.DatapathVersion)
                .Add<Bridge>(Bridge.Name, Bridge.Ports, Bridge.DatapathType, Bridge.DatapathId, Bridge.FailMode, Bridge.FlowTables, Bridge.ExternalIds)
                .Add<FlowTable>(FlowTable.Name)
                .Add<Port>(Port.Name, Port.Interfaces)
                .Add<Interface>(Interface.Name, Interface.Type, Interface.Options, Interface.OfPort, Interface.OfPortRequest, Interface.Mac, Interface.ExternalIds, Interface.Error),
            OnTransition = t => LogTransition(logger, t.ToString()),
        });
    }

    /// <summary>What the switch says that its data path can do; empty while it has not.</summary>
    public IReadOnlyDictionary<string, string> DatapathCapabilities => _client.Replica.Current is { } current && FindDatapath(current) is { } datapath
        ? datapath.Get(Datapath.Capabilities)
        : OvsdbMap.From<string, string>([]);

    /// <summary>What the data path lacks, a sentence each.</summary>
    public IReadOnlyList<string> DatapathProblems => DatapathFeatures.Missing(_options.DatapathType, DatapathCapabilities);

    /// <summary>Ports of pods that vswitchd could not open.</summary>
    public IEnumerable<BridgePort> FailedPorts => Read(_client.Replica.Current).Where(p => p.Attachment is not null && (p.Error is not null || p.OfPort is -1));

    /// <summary>The port with this interface name, or null.</summary>
    public BridgePort? Find(string name) => Read(_client.Replica.Current).FirstOrDefault(p => p.Name == name);

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

    /// <summary>Makes the bridge, its table names and its infrastructure ports as planned, and waits until vswitchd has them.</summary>
    public async Task EnsureInfrastructureAsync(NodeFacts facts, CancellationToken ct)
    {
        if (facts.Slice.Settings is not { } settings || _client.Replica.Current is not { } current || _checked == (current.Version, settings))
        {
            return;
        }

        var outcome = await _client.CommitRetryingAsync(s => Infrastructure.Repair(s, _options, settings), ct).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
        if (outcome is not null)
        {
            LogRepaired(_logger, _options.Bridge);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        try
        {
            var ready = await _client.Replica.WaitForAsync(HasInfrastructure, limit.Token).ConfigureAwait(false);
            _checked = (ready.Version, settings);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException($"ovs-vswitchd has not made {_options.Bridge} with its ports in {SwitchPatience.TotalSeconds:0} s: {DescribeMissing(_client.Replica.Current)}");
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
        var outcome = await _client.CommitRetryingAsync(s => AddPort(s, port), ct).ConfigureAwait(false);
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

    private async Task WaitForPortAsync(AttachedPort port, CancellationToken ct)
    {
        var name = port.Attachment.HostInterface;
        var snapshot = await _client.Replica.WaitForAsync(s => Find(s, name) is { } p && (p.OfPort is not null || p.Error is not null), ct).ConfigureAwait(false);
        var opened = Find(snapshot, name)!;
        if (opened.OfPort != port.OfPort)
        {
            throw new InvalidOperationException(opened.Error is { } error
                ? $"ovs-vswitchd cannot open {name}: {error}"
                : $"ovs-vswitchd gave {name} the OpenFlow number {opened.OfPort} instead of {port.OfPort}");
        }
    }

    /// <summary>Removes a port. Unknown ones are no error.</summary>
    public async Task RemovePortAsync(string name, CancellationToken ct)
    {
        var outcome = await _client.CommitRetryingAsync(s => RemovePort(s, name), ct).ConfigureAwait(false);
        outcome?.ThrowIfFailed();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private Transaction? AddPort(DatabaseSnapshot snapshot, AttachedPort port)
    {
        var name = port.Attachment.HostInterface;
        var ids = PortIds.Describe(port.Attachment);
        if (Infrastructure.FindInterface(snapshot, name) is { } existing)
        {
            // A repeated ADD finds its own port; only what differs is written.
            var transaction = new Transaction();
            var update = transaction.Update<Interface>(existing.Uuid);
            update.Set(Interface.ExternalIds, OvsdbMap.From(ids));
            update.Set(Interface.OfPortRequest, port.OfPort);
            return existing.Get(Interface.OfPort) == port.OfPort && existing.Get(Interface.ExternalIds).Equals(OvsdbMap.From(ids)) ? null : transaction;
        }

        var bridge = FindBridge(snapshot) ?? throw new InvalidOperationException($"bridge {_options.Bridge} is missing in OVSDB: the agent is about to make it, try again");
        var add = new Transaction();
        var device = add.Insert<Interface>().Set(Interface.Name, name).Set(Interface.OfPortRequest, port.OfPort).Set(Interface.ExternalIds, OvsdbMap.From(ids));
        var row = add.Insert<Port>().Set(Port.Name, name).Set(Port.Interfaces, OvsdbSet.From([device.Uuid]));
        add.Mutate(bridge.Uuid, Bridge.Ports.Insert(row.Uuid));
        return add;
    }

    private Transaction? RemovePort(DatabaseSnapshot snapshot, string name)
    {
        var port = snapshot.Rows<Port>().Where(p => p.Get(Port.Name) == name).Select(p => (Row<Port>?)p).FirstOrDefault();
        if (port is not { } row || FindBridge(snapshot) is not { } bridge)
        {
            return null;
        }

        var transaction = new Transaction();
        transaction.Mutate(bridge.Uuid, Bridge.Ports.Delete(row.Uuid));
        return transaction;
    }

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

    private bool HasInfrastructure(DatabaseSnapshot snapshot) => DescribeMissing(snapshot).Length == 0;

    private string DescribeMissing(DatabaseSnapshot? snapshot)
    {
        if (snapshot is null || FindBridge(snapshot)?.Get(Bridge.DatapathId) is null)
        {
            return $"bridge {_options.Bridge} has no datapath id";
        }

        foreach (var (name, number) in new[] { (BridgePorts.GatewayName, BridgePorts.Gateway), (BridgePorts.TunnelName, BridgePorts.Tunnel) })
        {
            var device = Infrastructure.FindInterface(snapshot, name);
            if (device?.Get(Interface.OfPort) != number)
            {
                return $"port {name} has OpenFlow number {device?.Get(Interface.OfPort)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}, not {number} {device?.Get(Interface.Error)}";
            }
        }

        return "";
    }

    private IReadOnlyList<BridgePort> Read(DatabaseSnapshot? snapshot)
    {
        if (snapshot is null || FindBridge(snapshot) is not { } bridge)
        {
            return [];
        }

        return [.. snapshot.Resolve<Port>(bridge.Get(Bridge.Ports)).SelectMany(p => snapshot.Resolve<Interface>(p.Get(Port.Interfaces))).Select(ReadPort)];
    }

    private BridgePort? Find(DatabaseSnapshot snapshot, string name) => Infrastructure.FindInterface(snapshot, name) is { } row ? ReadPort(row) : null;

    private static BridgePort ReadPort(Row<Interface> row)
    {
        var name = row.Get(Interface.Name);
        return new BridgePort(name, row.Get(Interface.OfPort), row.Get(Interface.Error), PortIds.Read(name, row.Get(Interface.ExternalIds)), row.Get(Interface.OfPortRequest));
    }

    [LoggerMessage(3750, LogLevel.Information, "OVSDB connection: {Transition}")]
    private static partial void LogTransition(ILogger logger, string transition);

    [LoggerMessage(3751, LogLevel.Information, "Bridge {Bridge} and its infrastructure ports were made right in OVSDB")]
    private static partial void LogRepaired(ILogger logger, string bridge);

    [LoggerMessage(3753, LogLevel.Information, "The data path '{Type}' can do: {Features}")]
    private static partial void LogDatapath(ILogger logger, string type, string features);

    [LoggerMessage(3754, LogLevel.Error, "The {Problem}")]
    private static partial void LogDatapathLacks(ILogger logger, string problem);

    [LoggerMessage(3752, LogLevel.Debug, "OVSDB is not followed any more")]
    private static partial void LogStopped(ILogger logger);
}
