using Weft.Agent.CniServer.Leases;

namespace Weft.Agent.CniServer;

/// <summary>The agent's CNI side: leases, commands and the socket.</summary>
/// <remarks>Start it only when <see cref="IPodNetwork.Attachments"/> is complete (OVSDB read): leases that no attachment, interface or command uses end then.</remarks>
public sealed partial class CniService : IAsyncDisposable
{
    private readonly IPodNetwork _network;
    private readonly LeaseStore _leases;
    private readonly PodLinks _links;
    private readonly CniCommands _commands;
    private readonly CniListener _listener;
    private readonly ILogger _logger;

    /// <summary>Opens the leases; takes no calls yet.</summary>
    /// <param name="socket">Path of the unix socket (<see cref="AgentOptions.CniSocket"/>).</param>
    /// <param name="stateDir">Folder of the leases (<see cref="AgentOptions.StateDir"/>).</param>
    /// <param name="network">The rest of the agent.</param>
    /// <param name="limits">Times.</param>
    /// <param name="time">The clock of the leases.</param>
    /// <param name="logger">The log.</param>
    /// <param name="netns">Path of the node's network namespace; null: the process's own.</param>
    /// <exception cref="IOException">The leases cannot be read, or another agent uses them.</exception>
    public CniService(string socket, string stateDir, IPodNetwork network, CniLimits limits, TimeProvider time, ILogger<CniService> logger, string? netns = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        _network = network;
        _logger = logger;
        _leases = LeaseStore.Open(Path.Combine(stateDir, "leases.journal"), limits.AddressRest, time, logger);
        _links = new PodLinks(netns);
        _commands = new CniCommands(network, _leases, _links, limits, logger);
        _listener = new CniListener(socket, _commands.ExecuteAsync, limits, logger);
    }

    /// <summary>The leases now, for status pages.</summary>
    public IReadOnlyList<Lease> Leases => _leases.Leases;

    /// <summary>Reconciles the leases with reality and takes calls.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        await ReconcileAsync(ct).ConfigureAwait(false);
        _listener.Start();
    }

    /// <summary>Makes leases and reality agree; safe at any time while the attachments are complete.</summary>
    public async Task ReconcileAsync(CancellationToken ct)
    {
        var (adopted, released) = await _leases.ReconcileAsync(_network.Attachments, IsLive, ct).ConfigureAwait(false);
        Log.Reconciled(_logger, adopted, released);
    }

    /// <summary>Stops taking calls, waits for those under way, closes the leases.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync().ConfigureAwait(false);
        _leases.Dispose();
        _links.Dispose();
    }

    private bool IsLive(Lease lease) => _commands.IsBusy(lease) || _links.Exists(PodInterface.HostNameOf(lease.ContainerId, lease.IfName));

    private static partial class Log
    {
        [LoggerMessage(3140, LogLevel.Information, "Leases reconciled: {Adopted} noted again, {Released} ended")]
        public static partial void Reconciled(ILogger logger, int adopted, int released);
    }
}
