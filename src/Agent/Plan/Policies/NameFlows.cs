using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>How the agent hears what name servers answer to pods that rules with domain names select.</summary>
/// <remarks>
/// Such answers are marked before they are delivered: replies on connections that the pod opened, and was allowed to, from port 53. Then they are
/// delivered, and a copy goes to the agent. While an agent says so with <see cref="Hold"/>, they go to the agent alone, which delivers them when the
/// flows of the addresses in them are in the switch. That flow ends by itself, so that an agent that is gone holds nothing back.
/// </remarks>
public static class NameFlows
{
    /// <summary>The port of name servers.</summary>
    public const ushort ServerPort = 53;

    /// <summary>Seconds that <see cref="Hold"/> lasts without being renewed.</summary>
    public const ushort HoldSeconds = 6;

    /// <summary>The owner of the flows that copy and hold.</summary>
    public const string Owner = "names";

    private const string HoldOwner = "names held";

    /// <summary>Whether a policy has rules with domain names.</summary>
    public static bool HasNames(Policy policy) => policy.Rules.Any(r => !r.DomainNames.IsEmpty);

    /// <summary>Marks the answers for one pod.</summary>
    public static IEnumerable<Flow> Listen(AttachedPort port)
    {
        var cookie = Cookies.Of(FlowFeature.Names, PodFlows.OwnerOf(port.Attachment.Pod));
        const CtStateFlags Reply = CtStateFlags.Tracked | CtStateFlags.Established | CtStateFlags.Reply;
        foreach (var family in new[] { Packets.Ip, Packets.Ipv6 })
        {
            foreach (var (protocol, field) in new[] { (Protocol.Udp, Fields.UdpSrc), (Protocol.Tcp, Fields.TcpSrc) })
            {
                yield return new FlowDraft(Tables.IngressAdmin, Priorities.Listen, cookie)
                    .When(Registers.Output.Is((uint)port.OfPort), Registers.Bypass.Is(1), Fields.CtState.Masked((uint)Reply, (uint)Reply))
                    .When(family, Fields.IpProto.Is((byte)protocol), field.Is(ServerPort))
                    .Do(Registers.Answer.Load(1)).Goto(Tables.ConntrackCommit);
            }
        }
    }

    /// <summary>The condition that a packet goes to an address; unless it is live, on a connection that exists.</summary>
    public static Match To(IPAddress address, int networkKey, bool isLive)
    {
        var network = Fields.Metadata.Is((ulong)networkKey);
        return isLive
            ? Match.Of(network, Packets.Family(address), Packets.To(address))
            : Match.Of(network, Packets.Family(address), Packets.To(address), Fields.CtState.Masked(0, (uint)CtStateFlags.New));
    }

    /// <summary>Delivers a marked answer, and copies it to the agent.</summary>
    public static Flow Copy { get; } = new FlowDraft(Tables.Output, Priorities.Exception + 10, Cookies.Of(FlowFeature.Names, Owner))
        .When(Registers.Answer.Is(1), Registers.Hairpin.Is(0)).Do(Registers.Output.Output(), Output.Controller).End();

    /// <summary>Gives a marked answer to the agent alone, for <see cref="HoldSeconds"/>. No part of the plan.</summary>
    public static Flow Hold { get; } = new FlowDraft(Tables.Output, Priorities.Exception + 20, Cookies.Of(FlowFeature.Lease, HoldOwner))
        .When(Registers.Answer.Is(1), Registers.Hairpin.Is(0)).Do(Output.Controller).End() with { HardTimeout = HoldSeconds };
}
