using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>What a client connects to, follows and promises.</summary>
public sealed record OvsdbClientOptions
{
    /// <summary>The servers. Several are members of one cluster and are tried in turn.</summary>
    public required ImmutableArray<OvsdbEndpoint> Endpoints { get; init; }

    /// <summary>The database's name. <c>Open_vSwitch</c>.</summary>
    public string Database { get; init; } = "Open_vSwitch";

    /// <summary>What to follow. Nothing unless told.</summary>
    public MonitorSelection Monitor { get; init; } = MonitorSelection.None;

    /// <summary>Indexes to keep over followed tables.</summary>
    public ImmutableArray<RowIndex> Indexes { get; init; } = [];

    /// <summary>True to use only the leader of a cluster: transactions are quicker, and reads never behind. False.</summary>
    public bool LeaderOnly { get; init; }

    /// <summary>How long to wait between attempts.</summary>
    public ReconnectPolicy Reconnect { get; init; } = new();

    /// <summary>Probes, time-outs, limits and TLS.</summary>
    public OvsdbConnectionOptions Connection { get; init; } = new();

    /// <summary>The newest method for following that is tried. <see cref="MonitorMethod.MonitorCondSince"/>.</summary>
    public MonitorMethod MonitorMethod { get; init; } = MonitorMethod.MonitorCondSince;

    /// <summary>True to compare transactions with the schema before they are sent, so that mistakes have better messages. True.</summary>
    public bool ChecksTransactions { get; init; } = true;

    /// <summary>Called with every change of state, in order, on the supervisor's thread: for logs. It must return soon; what it throws is dropped.</summary>
    public Action<SessionTransition>? OnTransition { get; init; }
}
