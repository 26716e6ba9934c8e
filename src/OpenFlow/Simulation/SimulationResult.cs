using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>A table that the packet passed.</summary>
/// <param name="Depth">How deep inside resubmits and groups.</param>
/// <param name="Table">The table.</param>
/// <param name="Flow">The flow it met; null for a miss.</param>
public sealed record SimulationStep(int Depth, byte Table, Flow? Flow)
{
    /// <inheritdoc/>
    public override string ToString() => $"{new string(' ', Depth * 2)}{Table}. {(Flow is null ? "no match" : Flow.ToString())}";
}

/// <summary>A packet that left.</summary>
/// <param name="Port">Where: a port, or a reserved number such as <see cref="Ports.Controller"/> or <see cref="Ports.Normal"/>.</param>
/// <param name="Packet">As it left.</param>
public sealed record SimulationOutput(uint Port, SimulatedPacket Packet);

/// <summary>What the switch would do with a packet.</summary>
public sealed class SimulationResult
{
    /// <summary>The tables passed, in order; after a recirculation from there on.</summary>
    public List<SimulationStep> Steps { get; } = [];

    /// <summary>The packets that left, in order. Empty: dropped.</summary>
    public List<SimulationOutput> Outputs { get; } = [];

    /// <summary>The meters that the packet passed, or was dropped by (then the last).</summary>
    public List<uint> Meters { get; } = [];

    /// <summary>Flows that learn actions added.</summary>
    public List<Flow> Learned { get; } = [];

    /// <summary>The packet at the end of its main path.</summary>
    public SimulatedPacket Final { get; internal set; } = null!;

    /// <summary>What stopped the packet otherwise than by a flow: resubmit limits, TTL, a meter; null when nothing did.</summary>
    public string? Stopped { get; internal set; }

    /// <summary>True when nothing left.</summary>
    public bool Dropped => Outputs.Count == 0;

    /// <summary>The last flow that was met; null after a miss. For a dropped packet: the flow that dropped it.</summary>
    public Flow? LastFlow => Steps.Count == 0 ? null : Steps[^1].Flow;

    /// <summary>The ports of <see cref="Outputs"/>.</summary>
    public IEnumerable<uint> OutputPorts => Outputs.Select(o => o.Port);
}
