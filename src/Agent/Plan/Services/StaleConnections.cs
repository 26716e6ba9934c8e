using System.Collections.Immutable;
using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.Topology;

namespace Weft.Agent.Plan.Services;

/// <summary>Connections that the switch must forget because their Service has changed: UDP has no end by which clients would notice.</summary>
/// <remarks>
/// A client that goes on sending is a connection for ever, to an endpoint that is gone, or to an address that had no endpoint when it began.
/// Once forgotten, its next packet is a new connection. Not thread-safe; owned by the agent's loop.
/// </remarks>
public sealed class StaleConnections
{
    private const byte Udp = (byte)Protocol.Udp;

    private readonly Dictionary<string, ImmutableHashSet<IPEndPoint>> _endpoints = new(StringComparer.Ordinal);
    private readonly List<FlushConntrack> _waiting = [];

    /// <summary>What is to be forgotten; the caller empties it when the switch has done so.</summary>
    public IReadOnlyList<FlushConntrack> Waiting => _waiting;

    /// <summary>The first entries of <see cref="Waiting"/> are done.</summary>
    public void Done(int count) => _waiting.RemoveRange(0, count);

    /// <summary>Takes the plan of a Service port as it is now.</summary>
    public void Take(NodeFacts facts, string id, LoadBalancer? balancer, ServicePlan plan)
    {
        if (balancer is not { Protocol: Protocol.Udp })
        {
            balancer = null;
        }

        var known = _endpoints.Remove(id, out var before);
        if (balancer is null && !known)
        {
            return;
        }

        var after = plan.Endpoints;
        if (balancer is not null)
        {
            _endpoints[id] = after;
        }

        foreach (var gone in (before ?? []).Except(after))
        {
            _waiting.Add(From(gone));
        }

        // Not at the first sight: an agent that starts does not know whether the Service had endpoints before.
        if (known && before!.IsEmpty && !after.IsEmpty)
        {
            _waiting.AddRange(VirtualEnds(facts, balancer!).Select(To));
        }
    }

    /// <summary>What is to be forgotten when the group takes the place of another that the switch had from an earlier agent.</summary>
    public static IEnumerable<FlushConntrack> Between(Group before, Group after) => EndpointsOf(before).Except(EndpointsOf(after)).Select(From);

    private static ImmutableHashSet<IPEndPoint> EndpointsOf(Group group) =>
        [.. group.Buckets.SelectMany(b => b.Actions.ToArray()).OfType<Conntrack>().Select(c => c.Nat).Where(n => n?.Address is not null).Select(n => new IPEndPoint(n!.Address!, n.Port))];

    private static FlushConntrack From(IPEndPoint endpoint) => new(Udp) { Reply = new ConntrackTuple { Source = endpoint.Address, SourcePort = (ushort)endpoint.Port } };

    private static FlushConntrack To(IPEndPoint end) => new(Udp) { Original = new ConntrackTuple { Destination = end.Address, DestinationPort = (ushort)end.Port } };

    private static IEnumerable<IPEndPoint> VirtualEnds(NodeFacts facts, LoadBalancer balancer)
    {
        var v6 = balancer.Id.EndsWith("/6", StringComparison.Ordinal);
        string?[] addresses = [balancer.ClusterIp, .. balancer.ExternalIps, .. balancer.LoadBalancerIps];
        foreach (var address in addresses)
        {
            if (IPAddress.TryParse(address, out var parsed))
            {
                yield return new IPEndPoint(parsed, balancer.Port);
            }
        }

        if (balancer.NodePort > 0)
        {
            yield return new IPEndPoint(v6 ? BridgePorts.NodePortV6 : BridgePorts.NodePortV4, balancer.NodePort);
            foreach (var address in facts.Slice.All<NodeEndpoint>().SelectMany(n => n.Addresses))
            {
                if (IPAddress.TryParse(address, out var parsed) && parsed.IsV6() == v6)
                {
                    yield return new IPEndPoint(parsed, balancer.NodePort);
                }
            }
        }
    }
}
