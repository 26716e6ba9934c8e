using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Features;

/// <summary>Answers to ARP requests (RFC 826) and neighbour solicitations (RFC 4861), given by the switch to whoever asks.</summary>
public static class Neighbours
{
    private const ulong ArpRequest = 1;
    private const ulong ArpReply = 2;
    private const ulong SourceLinkLayerOption = 1;
    private const ulong TargetLinkLayerOption = 2;
    private const ulong NeighbourAdvertisement = 136;

    /// <summary>More than a solicitation has.</summary>
    private const ushort SolicitationLength = 256;

    // RFC 4861 section 4.4: the router, solicited and override flags are the first three bits of the reserved word.
    private const uint RouterFlag = 0x8000_0000;
    private const uint SolicitedOverride = 0x6000_0000;

    /// <summary>The flow that says: <paramref name="address"/> is at <paramref name="mac"/>.</summary>
    /// <param name="networkKey">The network in which this is so.</param>
    /// <param name="isRouter">Sets the router flag of the advertisement.</param>
    /// <param name="cookie">The owner's cookie.</param>
    public static Flow Answer(int networkKey, IPAddress address, MacAddress mac, bool isRouter, ulong cookie)
    {
        var draft = new FlowDraft(Tables.ArpNd, Priorities.Normal, cookie).When(Fields.Metadata.Is((ulong)networkKey));
        return address.IsV6() ? Advertise(draft, address, mac, isRouter) : Reply(draft, address, mac);
    }

    /// <summary>The flow that ends every advertisement: nd_tll can be written only where the match says that it is one.</summary>
    public static Flow SendAdvertisement(ulong cookie) => new FlowDraft(Tables.NdAnswer, Priorities.Normal, cookie)
        .When(Packets.Ipv6, Packets.Icmp6, Fields.Icmpv6Type.Is((byte)NeighbourAdvertisement))
        .Do(Fields.EthSrc.Whole.MoveTo(Fields.NdTll.Whole), Output.InPort)
        .End();

    /// <summary>
    /// The same answer on a data path that cannot write an advertisement's flags and option, nor tell a solicitation's option (the kernel's has no
    /// OVS_KEY_ATTR_ND_EXTENSIONS): the packet goes to the agent, turned round, so that it holds the answer (<see cref="Solicitations.Advertisement"/>).
    /// </summary>
    /// <param name="flow">Any flow; what is no answer to a solicitation is returned as it is.</param>
    public static Flow ByAgent(Flow flow)
    {
        if (flow.Instructions.Next != Tables.NdAnswer.Id)
        {
            return flow;
        }

        var turn = flow.Instructions.Applied.ToArray().TakeWhile(a => a is not SetField { Field: var field } || field != Fields.Icmpv6Type);
        return new FlowDraft(Tables.ArpNd, Priorities.Normal, flow.Cookie)
            .When([.. flow.Match.ToArray().Where(c => c.Field != Fields.NdOptionsType)])
            .Do([.. turn, new Output(Ports.Controller, SolicitationLength)])
            .End();
    }

    /// <summary>The flow that keeps silent when a port asks for its own address (duplicate address detection).</summary>
    public static Flow Silence(uint inPort, IPAddress address, ulong cookie)
    {
        var draft = new FlowDraft(Tables.ArpNd, Priorities.Exception, cookie).When(Fields.InPort.Is(inPort));
        return address.IsV6()
            ? draft.When(Packets.Ipv6, Packets.Icmp6, Packets.NeighbourSolicitation, Fields.NdTarget.Is(address)).End()
            : draft.When(Packets.Arp, Fields.ArpTpa.Is(address)).End();
    }

    private static Flow Reply(FlowDraft draft, IPAddress address, MacAddress mac) => draft
        .When(Packets.Arp, Fields.ArpOp.Is((ushort)ArpRequest), Fields.ArpTpa.Is(address))
        .Do(
            Fields.EthSrc.Whole.MoveTo(Fields.EthDst.Whole),
            Fields.EthSrc.Set(mac),
            Fields.ArpOp.Set((ushort)ArpReply),
            Fields.ArpSha.Whole.MoveTo(Fields.ArpTha.Whole),
            Fields.ArpSha.Set(mac),
            Fields.ArpSpa.Whole.MoveTo(Fields.ArpTpa.Whole),
            Fields.ArpSpa.Set(address),
            Output.InPort)
        .End();

    // Only a solicitation that carries the asker's own link-layer address can be turned into an answer; one without it
    // comes from an address that is being tested (RFC 4861 section 4.3) and needs none.
    private static Flow Advertise(FlowDraft draft, IPAddress address, MacAddress mac, bool isRouter) => draft
        .When(Packets.Ipv6, Packets.Icmp6, Packets.NeighbourSolicitation, Fields.NdTarget.Is(address), Fields.NdOptionsType.Is((byte)SourceLinkLayerOption))
        .Do(
            Fields.EthSrc.Whole.MoveTo(Fields.EthDst.Whole),
            Fields.EthSrc.Set(mac),
            Fields.IPv6Src.Whole.MoveTo(Fields.IPv6Dst.Whole),
            Fields.IPv6Src.Set(address),
            Fields.Icmpv6Type.Set((byte)NeighbourAdvertisement),
            Fields.NdReserved.Set(SolicitedOverride | (isRouter ? RouterFlag : 0)),
            Fields.NdOptionsType.Set((byte)TargetLinkLayerOption))
        .Goto(Tables.NdAnswer);
}
