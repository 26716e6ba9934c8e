using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Topology;

namespace Weft.Ctl.Verification;

/// <summary>Compares, pair by pair, what policies say with what flows and switches do.</summary>
public sealed class Verifier(NodeDirectory directory)
{
    private readonly Tracer _tracer = new(directory);
    private readonly FlowSimulation _simulation = new(directory);

    /// <summary>Checks a pair; null when they are of different networks, which have nothing to say to each other.</summary>
    /// <exception cref="CtlException">A node does not answer.</exception>
    public async Task<PairCheck?> CheckAsync(PodInfo from, PodInfo to, string protocol, int port, bool v6, CancellationToken ct)
    {
        var (sender, receiver) = (await directory.ViewAsync(from.Node, ct).ConfigureAwait(false), await directory.ViewAsync(to.Node, ct).ConfigureAwait(false));
        if (sender.PortOf(from.Id) is not { } source || receiver.PortOf(to.Id) is not { } target || source.NetworkKey != target.NetworkKey)
        {
            return null;
        }

        var ends = await TraceTarget.FindAsync(directory, from.Id, to.Id, v6, ct).ConfigureAwait(false);
        var packet = new TracePacket(protocol, ends.Source, ends.Destination, 40000, port);
        var intent = PolicyIntent.Allows(sender.Slice, source, Direction.Egress, packet) && PolicyIntent.Allows(receiver.Slice, target, Direction.Ingress, packet);
        var nextHop = await _tracer.NextHopMacAsync(sender, source, packet, ct).ConfigureAwait(false);
        var simulated = await _simulation.ReceiverAsync(sender, source, nextHop, packet, ct).ConfigureAwait(false) == to.Id;
        var trace = await _tracer.TraceAsync(from, to.Id, packet, ct).ConfigureAwait(false);
        return new PairCheck(from.Id, to.Id, packet.ToString(), intent, simulated, trace.Verdict.Outcome == Outcome.Delivered, trace.Verdict.Sentence);
    }
}
