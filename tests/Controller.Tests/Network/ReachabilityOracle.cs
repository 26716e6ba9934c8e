using System.Net;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>A packet's question: may this pod send to that one? Answered twice, by code that shares nothing.</summary>
internal static class ReachabilityOracle
{
    /// <summary>As the text of the Kubernetes API says, straight from the objects.</summary>
    public static (bool Egress, bool Ingress) ByObjects(RandomCluster cluster, V1Pod from, string fromIp, V1Pod to, string toIp, Protocol protocol, int port)
    {
        var egress = cluster.Policies.Values.Where(p => Has(p, "Egress") && SelectsPod(p, from)).ToList();
        var ingress = cluster.Policies.Values.Where(p => Has(p, "Ingress") && SelectsPod(p, to)).ToList();
        return (
            egress.Count == 0 || egress.Exists(p => (p.Spec!.Egress ?? []).Exists(r =>
                Allows(cluster, p, r.To, to, toIp) && PortAllows(r.Ports, to, protocol, port))),
            ingress.Count == 0 || ingress.Exists(p => (p.Spec!.Ingress ?? []).Exists(r =>
                Allows(cluster, p, r.FromProperty, from, fromIp) && PortAllows(r.Ports, to, protocol, port))));
    }

    /// <summary>As a node decides, from the records it was sent.</summary>
    public static bool BySlice(IReadOnlyCollection<TopologyItem> slice, Direction direction, string portId, string peerIp, Protocol protocol, int port)
    {
        var ports = slice.OfType<PortSet>().ToDictionary(s => s.Id);
        var addresses = slice.OfType<AddressSet>().ToDictionary(s => s.Id);
        var policies = slice.OfType<Policy>().Where(p => ports[p.AppliedTo].Ports.Contains(portId)
            && (direction == Direction.Ingress ? p.IsolatesIngress : p.IsolatesEgress)).ToList();
        return policies.Count == 0 || policies.Exists(p => p.Rules.Any(r =>
            r.Direction == direction && r.Action == RuleAction.Allow
            && (r.AppliedTo is null || ports[r.AppliedTo].Ports.Contains(portId))
            && (r.AnyPeer || (r.PeerSets.Any(s => addresses[s].Addresses.Contains(peerIp)) && (r.Within.IsEmpty || r.Within.Any(b => InBlock(b.Cidr, b.Except, peerIp)))) || r.IpBlocks.Any(b => InBlock(b.Cidr, b.Except, peerIp)))
            && (r.Ports.IsEmpty || r.Ports.Any(x => x.Protocol == protocol && ((x.First == 0 && x.Last == 0) || (x.First <= port && port <= x.Last))))));
    }

    private static bool Has(V1NetworkPolicy policy, string type) =>
        policy.Spec!.PolicyTypes?.Contains(type) ?? (type == "Ingress" || policy.Spec.Egress is { Count: > 0 });

    /// <summary>Whether a policy applies to a pod, by the objects.</summary>
    public static bool SelectsPod(V1NetworkPolicy policy, V1Pod pod) =>
        policy.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty && Selects(policy.Spec!.PodSelector, pod.Metadata.Labels);

    private static bool Allows(RandomCluster cluster, V1NetworkPolicy policy, List<V1NetworkPolicyPeer>? peers, V1Pod pod, string ip) =>
        peers is not { Count: > 0 } || peers.Exists(p => p.IpBlock is { } block
            ? InBlock(block.Cidr!, block.Except ?? [], ip)
            : (p.NamespaceSelector is null
                ? policy.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty
                : Selects(p.NamespaceSelector, cluster.NamespaceObjects.GetValueOrDefault(pod.Metadata.NamespaceProperty!)?.Metadata.Labels))
              && Selects(p.PodSelector, pod.Metadata.Labels));

    private static bool PortAllows(List<V1NetworkPolicyPort>? ports, V1Pod destination, Protocol protocol, int port) =>
        ports is not { Count: > 0 } || ports.Exists(p => ProtocolOf(p.Protocol) == protocol && (p.Port is not { } wanted
            || (wanted.Name is { } name ? NamedPort(destination, name, protocol) == port : wanted.Number <= port && port <= (p.EndPort ?? wanted.Number))));

    private static int? NamedPort(V1Pod pod, string name, Protocol protocol) => pod.Spec!.Containers!
        .SelectMany(c => c.Ports ?? []).FirstOrDefault(p => p.Name == name && ProtocolOf(p.Protocol) == protocol)?.ContainerPort;

    private static Protocol ProtocolOf(string? text) => text switch { "UDP" => Protocol.Udp, "SCTP" => Protocol.Sctp, _ => Protocol.Tcp };

    private static bool Selects(V1LabelSelector? selector, Dictionary<string, string>? labels)
    {
        labels ??= [];
        return (selector?.MatchLabels ?? []).All(l => labels.TryGetValue(l.Key, out var v) && v == l.Value)
            && (selector?.MatchExpressions ?? []).All(e => e.OperatorProperty switch
            {
                "In" => labels.TryGetValue(e.Key, out var v) && e.Values!.Contains(v),
                "NotIn" => !labels.TryGetValue(e.Key, out var v) || !e.Values!.Contains(v),
                "Exists" => labels.ContainsKey(e.Key),
                _ => !labels.ContainsKey(e.Key),
            });
    }

    private static bool InBlock(string cidr, IEnumerable<string> except, string ip) => Contains(cidr, ip) && !except.Any(e => Contains(e, ip));

    private static bool Contains(string cidr, string ip)
    {
        var (network, address) = (IPNetwork.Parse(cidr), IPAddress.Parse(ip));
        return network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address);
    }
}
