using System.Numerics;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>Chooses among many endpoints by bits of the client's port: evenly, not by chance, and without the slow path.</summary>
/// <remarks>
/// A group's table has at most 256 slots, too few for so many endpoints, and a hash per connection is chance: 10,000 connections over 100 endpoints
/// have a standard deviation of 10 % of a share, so that in most runs some endpoint is more than 25 % off. A system takes the ports of
/// connections to one destination in order, two apart (Linux: inet_hash_connect, RFC 6056 section 3.3.4), so the bits above the lowest count
/// connections. Each value of them is a slot with a flow in table ServiceEndpoint. Slots are dealt as by Maglev (Eisenbud et al., NSDI 2016, section 3.4): every
/// endpoint has as many as every other, or one more, and an endpoint that comes or goes moves few slots besides its own.
/// </remarks>
public static class EndpointSlots
{
    /// <summary>At least so many slots for each endpoint: with one more or one less, shares differ by a sixteenth.</summary>
    private const int SlotsForEach = 16;

    /// <summary>Whether this many endpoints have slots: too many for a group's table, and few enough for one group.</summary>
    public static bool Apply(int endpoints) => endpoints is > EndpointGroups.MostInTable and <= EndpointGroups.MostBuckets;

    /// <summary>The endpoint of every slot; the number of slots is a power of two.</summary>
    /// <param name="endpoints">Without duplicates, in a fixed order; the deal depends on nothing else.</param>
    public static Endpoint[] Deal(IReadOnlyList<Endpoint> endpoints)
    {
        var slots = new Endpoint[BitOperations.RoundUpToPowerOf2((uint)(SlotsForEach * endpoints.Count))];
        var mask = (uint)slots.Length - 1;

        // An endpoint's turn takes its next free slot: it starts somewhere and steps by an odd number, so that it comes to every slot. The step is near
        // the golden section of the table: ports do not always go round it whole times, and slots of one endpoint side by side would share the rest.
        var next = endpoints.Select(e => StableHash.Of($"{e.Address} {e.Port}")).ToArray();
        var step = endpoints.Select(e => ((uint)(slots.Length * 618L / 1000) + (2 * (StableHash.Of($"{e.Port} {e.Address}") % ((uint)slots.Length / 64)))) | 1).ToArray();
        for (var dealt = 0; ;)
        {
            for (var i = 0; i < endpoints.Count; i++)
            {
                while (slots[next[i] & mask] is not null)
                {
                    next[i] += step[i];
                }

                slots[next[i] & mask] = endpoints[i];
                if (++dealt == slots.Length)
                {
                    return slots;
                }
            }
        }
    }

    /// <summary>The flows of table ServiceEndpoint; what has no port in its header goes to the group.</summary>
    /// <param name="balancer">The Service port.</param>
    /// <param name="group">The group with the same endpoints.</param>
    /// <param name="endpoints">As for <see cref="Deal"/>.</param>
    public static IEnumerable<Flow> Of(LoadBalancer balancer, uint group, IReadOnlyList<Endpoint> endpoints)
    {
        var family = balancer.Id.EndsWith("/6", StringComparison.Ordinal) ? Packets.Ipv6 : Packets.Ip;
        var cookie = Cookies.Of(FlowFeature.Service, ServicePlan.OwnerOf(balancer));
        FlowDraft On(ushort priority) => new FlowDraft(Tables.ServiceEndpoint, priority, cookie)
            .When(Fields.Metadata.Is((ulong)balancer.NetworkKey), family, Fields.IpProto.Is((byte)balancer.Protocol), Registers.Group.Is(group));
        yield return On(Priorities.Rest).Do(new ToGroup(group)).End();

        var slots = Deal(endpoints);
        var bits = ClientPort(balancer.Protocol)[1..BitOperations.Log2((uint)slots.Length)];
        var choices = endpoints.ToDictionary(e => e, e => EndpointTarget.Translate(balancer, e).ToArray());
        for (var slot = 0; slot < slots.Length; slot++)
        {
            yield return On(Priorities.Normal).When(bits.Is((UInt128)slot)).Do(choices[slots[slot]]).End();
        }
    }

    private static Field<ushort> ClientPort(Protocol protocol) => protocol switch
    {
        Protocol.Udp => Fields.UdpSrc,
        Protocol.Sctp => Fields.SctpSrc,
        _ => Fields.TcpSrc,
    };
}
