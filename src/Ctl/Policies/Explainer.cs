using System.Net;
using System.Net.Sockets;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Ctl.Verification;
using Weft.Topology;

namespace Weft.Ctl.Policies;

/// <summary>Asks both sides of a connection who decides: the policies as the controller compiles them, and the flows of the nodes.</summary>
internal sealed class Explainer(NodeDirectory directory, LivePolicies live)
{
    private const int SourcePort = 40000;

    /// <summary>Explains a connection.</summary>
    /// <param name="from">The sender, <c>namespace/pod</c>.</param>
    /// <param name="to">The receiver: <c>namespace/pod</c> or an address.</param>
    /// <param name="protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
    /// <param name="port">The destination port.</param>
    /// <param name="v6">Take IPv6 addresses, when an address does not decide.</param>
    /// <exception cref="CtlException">A name means nothing, or a node does not answer.</exception>
    public async Task<Explanation> ExplainAsync(string from, string to, string protocol, int port, bool v6, CancellationToken ct)
    {
        var target = await TraceTarget.FindAsync(directory, from, to, v6, ct).ConfigureAwait(false);
        var packet = new TracePacket(protocol, target.Source, target.Destination, SourcePort, port);
        var node = await directory.ViewAsync(target.From.Node, ct).ConfigureAwait(false);
        var sender = node.PortOf(target.From.Id)!;
        var trace = await new Tracer(directory).TraceAsync(target.From, to, packet, ct).ConfigureAwait(false);
        var egress = new ExplainedEnd(
            target.From.Id, node.Name, PolicyIntent.Decide(PoliciesOf(node, sender), sender, Direction.Egress, packet),
            SwitchDecision.Of(node, [.. trace.Steps.Where(s => s.Node == node.Name)], Direction.Egress))
        {
            Names = [.. sender.NamesOf(target.Destination)],
        };
        return new Explanation(target.From.Id, to, packet.ToString(), egress, await IngressAsync(sender, to, packet, ct).ConfigureAwait(false));
    }

    private async Task<ExplainedEnd?> IngressAsync(NodePort sender, string to, TracePacket packet, CancellationToken ct)
    {
        if ((IPAddress.TryParse(to, out _) ? live.PodWith(packet.Destination.ToString()) : directory.Pod(to).Id) is not { } id)
        {
            return null;
        }

        var pod = directory.Pod(id);
        var node = await directory.ViewAsync(pod.Node, ct).ConfigureAwait(false);
        if (node.PortOf(pod.Id) is not { } receiver || receiver.NetworkKey != sender.NetworkKey)
        {
            return null;
        }

        // As it comes from another node: so it meets the policies of this end whatever the other one decides.
        var flow = $"in_port={BridgePorts.Tunnel},tun_id=0x{receiver.NetworkKey:x},dl_src={BridgePorts.RouterMac},dl_dst={BridgePorts.RouterMac},{packet.ToMatch()}";
        var trace = SwitchTrace.Read(await node.RunAsync(ct, "ovs-appctl", "--timeout=10", "ofproto/trace", node.Bridge, flow).ConfigureAwait(false), node);
        return new ExplainedEnd(pod.Id, node.Name, PolicyIntent.Decide(PoliciesOf(node, receiver), receiver, Direction.Ingress, packet), SwitchDecision.Of(node, trace.Steps, Direction.Ingress));
    }

    /// <summary>A tenant's network is known to the controller alone: its last word to the node counts there.</summary>
    private Slice PoliciesOf(NodeView node, NodePort port) => port.NetworkKey == Network.DefaultKey ? live.SliceOf(node.Name) : node.Slice;
}
