namespace Weft.Topology;

/// <summary>What an agent tells the controller about itself. Each report is whole: it replaces the one before.</summary>
public sealed record NodeReport
{
    /// <summary>The node's name.</summary>
    public required string Node { get; init; }

    /// <summary>The agent's version.</summary>
    public string AgentVersion { get; init; } = "";

    /// <summary>The epoch that <see cref="Revision"/> belongs to.</summary>
    public string Epoch { get; init; } = "";

    /// <summary>Everything up to this revision is confirmed by the switch.</summary>
    public long Revision { get; init; }

    /// <summary>Pods attached on this node.</summary>
    public EquatableArray<RealisedPort> Ports { get; init; } = [];

    /// <summary>What is wrong now; empty when all is well.</summary>
    public EquatableArray<NodeProblem> Problems { get; init; } = [];
}

/// <summary>A pod that is attached to the switch.</summary>
/// <param name="Id">The <see cref="LogicalPort"/>'s id.</param>
/// <param name="Uid">The pod's uid.</param>
/// <param name="OfPort">Its OpenFlow port number.</param>
/// <param name="Addresses">Its addresses.</param>
/// <param name="Mac">Its MAC address.</param>
public sealed record RealisedPort(string Id, string Uid, int OfPort, EquatableArray<string> Addresses, string Mac);

/// <summary>Something that a person should know.</summary>
/// <param name="Reason">A CamelCase word, stable, for programs.</param>
/// <param name="Subject">What it is about, for example <c>pod ns/name</c> or <c>bridge br-int</c>.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record NodeProblem(string Reason, string Subject, string Message);
