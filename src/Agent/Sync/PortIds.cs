using Weft.Agent.CniServer;
using Weft.Topology;

namespace Weft.Agent.Sync;

/// <summary>The <c>external_ids</c> of our OVSDB rows, and what can be read back from them (docs/design/data-flow.md).</summary>
public static class PortIds
{
    public const string Owner = "weft-owner";
    public const string OwnerBridge = "bridge";
    public const string OwnerTunnel = "tunnel";
    public const string OwnerGateway = "gateway";
    public const string OwnerPod = "pod";

    /// <summary>A port that was made in advance and waits for its pod.</summary>
    public const string OwnerSpare = "spare";
    public const string OwnerDatapath = "datapath";

    private const string Pod = "weft-pod";
    private const string PodUid = "weft-pod-uid";
    private const string ContainerId = "weft-container-id";
    private const string IfName = "weft-ifname";
    private const string Netns = "weft-netns";
    private const string Ips = "weft-ips";
    private const string Mac = "weft-mac";
    private const string NetworkKey = "weft-network";
    private const string Aliases = "weft-aliases";
    private const string ZoneBlock = "weft-zone-block";
    private const string IngressLimit = "weft-ingress-limit";
    private const string EgressLimit = "weft-egress-limit";
    private const string HostSide = "weft-interface";

    /// <summary>On a row of QoS: the port that it is of.</summary>
    public const string LimitOf = "weft-limit-of";

    /// <summary>The pairs that describe an attachment.</summary>
    public static Dictionary<string, string> Describe(Attachment attachment)
    {
        var ids = DescribeAny(attachment);
        if (attachment.NetworkKey != Network.DefaultKey)
        {
            ids[Aliases] = string.Join(',', (IEnumerable<string>)attachment.Aliases);
            ids[ZoneBlock] = attachment.ZoneBlock.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (attachment.HostInterface != PodInterface.HostNameOf(attachment.ContainerId, attachment.IfName))
        {
            ids[HostSide] = attachment.HostInterface;
        }

        if (attachment.IngressLimit is { } ingress)
        {
            ids[IngressLimit] = ingress.ToString();
        }

        if (attachment.EgressLimit is { } egress)
        {
            ids[EgressLimit] = egress.ToString();
        }

        return ids;
    }

    private static Dictionary<string, string> DescribeAny(Attachment attachment) => new(StringComparer.Ordinal)
    {
        [Owner] = OwnerPod,
        [Pod] = attachment.Pod,
        [PodUid] = attachment.Uid,
        [ContainerId] = attachment.ContainerId,
        [IfName] = attachment.IfName,
        [Netns] = attachment.Netns,
        [Ips] = string.Join(',', (IEnumerable<string>)attachment.Addresses),
        [Mac] = attachment.Mac,
        [NetworkKey] = attachment.NetworkKey.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <summary>Reads an attachment back; null when the pairs describe none of ours, or one of another name: a row that somebody copied.</summary>
    public static Attachment? Read(string interfaceName, IReadOnlyDictionary<string, string> ids)
    {
        if (ids.GetValueOrDefault(Owner) != OwnerPod
            || !ids.TryGetValue(Pod, out var pod) || !ids.TryGetValue(ContainerId, out var container)
            || !ids.TryGetValue(IfName, out var ifName) || !ids.TryGetValue(Mac, out var mac)
            || interfaceName != (ids.GetValueOrDefault(HostSide) ?? PodInterface.HostNameOf(container, ifName)))
        {
            return null;
        }

        return new Attachment
        {
            Pod = pod,
            Uid = ids.GetValueOrDefault(PodUid, ""),
            ContainerId = container,
            IfName = ifName,
            Netns = ids.GetValueOrDefault(Netns, ""),
            HostInterface = interfaceName,
            Mac = mac,
            Addresses = ids.GetValueOrDefault(Ips, "").Split(',', StringSplitOptions.RemoveEmptyEntries).ToEquatableArray(),
            Aliases = ids.GetValueOrDefault(Aliases, "").Split(',', StringSplitOptions.RemoveEmptyEntries).ToEquatableArray(),
            ZoneBlock = int.TryParse(ids.GetValueOrDefault(ZoneBlock), out var block) ? block : 0,
            IngressLimit = BandwidthLimit.Parse(ids.GetValueOrDefault(IngressLimit)),
            EgressLimit = BandwidthLimit.Parse(ids.GetValueOrDefault(EgressLimit)),
            NetworkKey = int.TryParse(ids.GetValueOrDefault(NetworkKey), out var key) ? key : Network.DefaultKey,
        };
    }
}
