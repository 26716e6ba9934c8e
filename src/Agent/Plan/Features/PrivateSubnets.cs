using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>A private Subnet: its pods are reached by each other and from the ranges that it allows, by nobody else.</summary>
/// <remarks>
/// Looked at last, where the packet leaves for a pod or a tunnel, so policies and what they report are the same as without it. What the pods began
/// themselves is answered, and their node's kubelet reaches them: both have the bypass bit. It looks at every packet of a request, so a connection
/// ends when its source is allowed no more.
/// </remarks>
internal static class PrivateSubnets
{
    /// <summary>The flows of one switch; none when it is not private.</summary>
    public static IEnumerable<Flow> Of(LogicalSwitch subnet, ulong cookie)
    {
        if (!subnet.Private)
        {
            yield break;
        }

        var own = subnet.Subnets.Select(s => s.Cidr).Select(Parse).OfType<IPNetwork>().ToList();
        var allowed = own.Concat(subnet.Allowed.Select(Parse).OfType<IPNetwork>()).Distinct().ToList();
        foreach (var range in own)
        {
            FlowDraft On(ushort priority) => new FlowDraft(Tables.ConntrackCommit, priority, cookie).When(
                Fields.Metadata.Is((ulong)subnet.NetworkKey), Registers.Bypass.Is(0), Registers.Hairpin.Is(0), Registers.Admitted.Is(0),
                Packets.Family(range.BaseAddress), Packets.To(range));
            yield return On(Priorities.Exception).End();
            foreach (var source in allowed.Where(a => a.BaseAddress.IsV6() == range.BaseAddress.IsV6()))
            {
                yield return On(Priorities.Never).When(Packets.From(source))
                    .Do(Registers.Admitted.Load(1), new Resubmit(Tables.ConntrackCommit.Id)).End();
            }
        }
    }

    private static IPNetwork? Parse(string text) => IPNetwork.TryParse(text, out var cidr) ? cidr : null;
}
