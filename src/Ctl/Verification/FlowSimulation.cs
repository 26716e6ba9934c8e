using System.Collections.Concurrent;
using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Simulation;
using Weft.OpenFlow.Text;

namespace Weft.Ctl.Verification;

/// <summary>Runs packets through the flows that the switches hold, in our own simulator of the pipeline.</summary>
public sealed class FlowSimulation(NodeDirectory directory)
{
    private readonly ConcurrentDictionary<string, Task<PipelineSimulator>> _switches = new(StringComparer.Ordinal);

    /// <summary>The pod that gets the packet, or null.</summary>
    /// <param name="from">The sender's node.</param>
    /// <param name="port">The sender's port.</param>
    /// <param name="nextHop">The MAC address that the sender uses.</param>
    /// <param name="packet">The packet.</param>
    public async Task<string?> ReceiverAsync(NodeView from, NodePort port, string nextHop, TracePacket packet, CancellationToken ct)
    {
        var start = SimulatedPacket.Parse($"in_port={port.OfPort},dl_src={port.Mac},dl_dst={nextHop},{packet.ToMatch()}");
        var first = (await SwitchAsync(from.Name, ct).ConfigureAwait(false)).Run(start);
        if (first.Outputs.Count == 0)
        {
            return null;
        }

        var sent = first.Outputs[0];
        if (sent.Port != BridgePorts.Tunnel)
        {
            return from.PortAt(sent.Port)?.Pod;
        }

        var address = sent.Packet.Get(Fields.TunDst).ToString();
        if (directory.NodeWithAddress(address) is not { } name)
        {
            return null;
        }

        var node = await directory.ViewAsync(name, ct).ConfigureAwait(false);
        var last = (await SwitchAsync(name, ct).ConfigureAwait(false)).Run(Arriving(sent.Packet));
        return last.Outputs.Count == 0 ? null : node.PortAt(last.Outputs[0].Port)?.Pod;
    }

    /// <summary>Only headers and the tunnel's fields travel: registers, metadata and the tracker's state begin anew.</summary>
    private static SimulatedPacket Arriving(SimulatedPacket sent)
    {
        var packet = sent.Copy();
        foreach (var field in Fields.All)
        {
            if (field.Name.StartsWith("reg", StringComparison.Ordinal) || field.Name.StartsWith("ct_", StringComparison.Ordinal) || field.Name == "metadata")
            {
                packet[field] = 0;
            }
        }

        packet[Fields.InPort] = BridgePorts.Tunnel;
        return packet;
    }

    private Task<PipelineSimulator> SwitchAsync(string name, CancellationToken ct) => _switches.GetOrAdd(name, n => ReadAsync(n, ct));

    private async Task<PipelineSimulator> ReadAsync(string name, CancellationToken ct)
    {
        var node = await directory.ViewAsync(name, ct).ConfigureAwait(false);
        var flows = await node.RunAsync(ct, "ovs-ofctl", "-O", "OpenFlow13", "--no-names", "--no-stats", "dump-flows", node.Bridge).ConfigureAwait(false);
        var groups = await node.RunAsync(ct, "ovs-ofctl", "-O", "OpenFlow13", "--no-names", "dump-groups", node.Bridge).ConfigureAwait(false);
        return new PipelineSimulator(
            Lines(flows, "actions=").Select(l => FlowText.Parse(l)),
            Lines(groups, "group_id=").Select(l => GroupText.Parse(l)));
    }

    private static IEnumerable<string> Lines(string text, string mark) =>
        text.Split('\n').Select(l => l.Trim()).Where(l => l.Contains(mark, StringComparison.Ordinal) && !l.StartsWith("OFPST", StringComparison.Ordinal));
}
