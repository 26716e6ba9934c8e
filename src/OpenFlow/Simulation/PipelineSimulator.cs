using Weft.OpenFlow.Entries;

namespace Weft.OpenFlow.Simulation;

/// <summary>A switch's pipeline in memory: given flows and groups it says what would become of a packet.</summary>
/// <remarks>
/// The rules are those of Open vSwitch (ovs-actions(7), ofproto-dpif-xlate.c). NORMAL, FLOOD and ALL are the ports that
/// <see cref="SimulationOptions.Bridge"/> tells, and the reserved number itself without one. Not told: queues, tunnels' underlay. After the constructor <see cref="Run"/> may be called from any thread, with one connection table per thread.
/// </remarks>
public sealed class PipelineSimulator
{
    private readonly TableIndex?[] _tables = new TableIndex?[256];
    private readonly Dictionary<uint, Group> _groups;

    /// <summary>Takes the flows and groups of a switch, wanted or dumped.</summary>
    public PipelineSimulator(IEnumerable<Flow> flows, IEnumerable<Group>? groups = null)
    {
        foreach (var flow in flows)
        {
            (_tables[flow.Table] ??= new TableIndex()).Add(flow);
        }

        _groups = (groups ?? []).ToDictionary(g => g.Id);
    }

    /// <summary>Runs a packet from table 0 on.</summary>
    /// <param name="packet">The packet; it is copied.</param>
    /// <param name="options">Conntrack and choices; null for new connections and first buckets.</param>
    public SimulationResult Run(SimulatedPacket packet, SimulationOptions? options = null) =>
        new PacketRun(this, options ?? new SimulationOptions()).Run(packet);

    internal TableIndex? Table(byte table) => _tables[table];

    internal Group? Group(uint id) => _groups.GetValueOrDefault(id);
}

/// <summary>What a simulation cannot know from flows alone.</summary>
public sealed record SimulationOptions
{
    /// <summary>The tracker, kept from packet to packet; null begins with an empty one.</summary>
    public ConnectionTable? Connections { get; init; }

    /// <summary>The ct_state that the first, second ... ct() with a table gives (as <c>ofproto/trace --ct-next</c>); then the tracker decides. Null: the tracker decides at once.</summary>
    public IReadOnlyList<Fields.CtStateFlags>? CtNext { get; init; }

    /// <summary>The bucket of a select group; null takes the first with a weight.</summary>
    public Func<Group, SimulatedPacket, int>? ChooseBucket { get; init; }

    /// <summary>Whether a port is alive, for fast failover; null says yes.</summary>
    public Func<uint, bool>? IsPortAlive { get; init; }

    /// <summary>The ports and learned addresses for NORMAL, FLOOD and ALL; null leaves them as outputs to the reserved number.</summary>
    public LearningBridge? Bridge { get; init; }

    /// <summary>Whether a meter lets the packet pass: a matter of rates, so of the caller. Null says yes; the meters met are in <see cref="SimulationResult.Meters"/>.</summary>
    public Func<uint, SimulatedPacket, bool>? PassesMeter { get; init; }

    /// <summary>The packet's length in bytes, for check_pkt_larger; 64.</summary>
    public int PacketLength { get; init; } = 64;

    /// <summary>The table where the packet begins; 0.</summary>
    public byte FirstTable { get; init; }
}
