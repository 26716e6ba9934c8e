using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>Session affinity: the first connection of a client learns a flow that names its endpoint.</summary>
/// <remarks>
/// <code>
///   ServiceLb         reg8 = group, resubmit(ServiceAffinity), goto ServiceEndpoint
///   ServiceAffinity   learned: group and client -> reg3..reg7 = endpoint, selected
///   ServiceEndpoint   selected, and the endpoint is still one  -> ct(commit, nat)
///                     otherwise                                -> group -> reg3..reg7, learn -> (again) learn(...) -> (again) ct(commit, nat)
/// </code>
/// A learned flow lives until no new connection of its client came for the Service's time, as the recent list of kube-proxy. One whose
/// endpoint is gone does no harm: the endpoint's own flow is gone too, so the group chooses anew and the learned flow is overwritten.
/// </remarks>
public static class AffinityFlows
{
    /// <summary>OpenFlow's timeouts have 16 bits; a longer affinity ends after this.</summary>
    public const int MostSeconds = ushort.MaxValue;

    /// <summary>A bucket's actions: the endpoint into the registers, and to table ServiceEndpoint again.</summary>
    public static ActionList Remember(Endpoint endpoint)
    {
        var address = IPAddress.Parse(endpoint.Address);
        return ActionList.Of(
            address.IsV6() ? Fields.XXReg1.Set(Number(address)) : Registers.EndpointAddress[0].Load(Number(address)),
            Registers.EndpointPort.Load((UInt128)endpoint.Port),
            Registers.Learn.Load(1),
            new Resubmit(Tables.ServiceEndpoint.Id));
    }

    /// <summary>The flows of table ServiceEndpoint for one group.</summary>
    public static IEnumerable<Flow> Of(LoadBalancer balancer, uint group, IReadOnlyList<Endpoint> endpoints)
    {
        var v6 = IPAddress.Parse(endpoints[0].Address).IsV6();
        var cookie = Cookies.Of(FlowFeature.Service, ServicePlan.OwnerOf(balancer));
        FlowDraft On(ushort priority) => new FlowDraft(Tables.ServiceEndpoint, priority, cookie)
            .When(Fields.Metadata.Is((ulong)balancer.NetworkKey), v6 ? Packets.Ipv6 : Packets.Ip, Registers.Group.Is(group));
        yield return On(Priorities.Host).When(Registers.Learn.Is(1))
            .Do(LearnClient(balancer, v6), Registers.Learn.Load(0), Registers.Selected.Load(1), new Resubmit(Tables.ServiceEndpoint.Id)).End();
        yield return On(Priorities.Rest).Do(new ToGroup(group)).End();
        foreach (var endpoint in endpoints)
        {
            yield return On(Priorities.Normal).When(Registers.Selected.Is(1)).When(Chosen(endpoint)).Do([.. EndpointTarget.Translate(balancer, endpoint)]).End();
        }
    }

    private static Learn LearnClient(LoadBalancer balancer, bool v6) => new()
    {
        Table = Tables.ServiceAffinity.Id,
        IdleTimeout = (ushort)Math.Min(balancer.AffinitySeconds, MostSeconds),
        Priority = Priorities.Normal,
        Cookie = Cookies.Of(FlowFeature.Affinity, ServicePlan.OwnerOf(balancer)),
        Specs =
        [
            LearnSpec.Match(Fields.EthType.Whole, v6 ? 0x86ddu : 0x0800u),
            LearnSpec.Match(Fields.Metadata.Whole),
            LearnSpec.Match(Registers.Group),
            LearnSpec.Match(v6 ? Fields.IPv6Src.Whole : Fields.IPv4Src.Whole),
            LearnSpec.Load(Registers.EndpointPort, Registers.EndpointPort),
            .. Registers.EndpointAddress[..(v6 ? 4 : 1)].Select(part => LearnSpec.Load(part, part)),
            LearnSpec.Load(1, Registers.Selected),
        ],
    };

    private static FieldMatch[] Chosen(Endpoint endpoint)
    {
        var address = IPAddress.Parse(endpoint.Address);
        var port = Registers.EndpointPort.Is((UInt128)endpoint.Port);
        if (!address.IsV6())
        {
            return [port, Registers.EndpointAddress[0].Is(Number(address))];
        }

        var bytes = address.GetAddressBytes();
        return [port, .. Registers.EndpointAddress.Select((part, i) => part.Is(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(i * 4))))];
    }

    private static UInt128 Number(IPAddress address)
    {
        var number = UInt128.Zero;
        foreach (var part in address.GetAddressBytes())
        {
            number = (number << 8) | part;
        }

        return number;
    }
}
