using System.Net;
using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Nodes;
using Weft.Topology;

namespace Weft.Ctl.Tracing;

/// <summary>Follows a packet through the real switches: <c>ofproto/trace</c> on the sender's node, and on the node that the tunnel leads to.</summary>
/// <param name="directory">The nodes.</param>
/// <param name="hash">What the switch would compute from the packet to choose one of a Service's endpoints, 1 to 255. A trace without it ends
/// there: the switch wants the data path to compute it first.</param>
public sealed class Tracer(NodeDirectory directory, int hash = 1)
{
    private static readonly string[] Headers =
        ["dl_src", "dl_dst", "nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "nw_ttl", "tp_src", "tp_dst", "tcp_flags", "icmp_type", "icmp_code"];

    private static readonly string[] Protocols = ["tcp", "udp", "sctp", "icmp", "tcp6", "udp6", "sctp6", "icmp6", "ip", "ipv6"];

    /// <summary>Traces one packet.</summary>
    /// <param name="from">The sender.</param>
    /// <param name="to">What was asked for, for the answer.</param>
    /// <param name="packet">The packet; its source must be the sender's address.</param>
    /// <exception cref="CtlException">The sender has no port yet, or a node does not answer.</exception>
    public async Task<TraceResult> TraceAsync(PodInfo from, string to, TracePacket packet, CancellationToken ct)
    {
        var node = await directory.ViewAsync(from.Node, ct).ConfigureAwait(false);
        var port = node.PortOf(from.Id) ?? throw new CtlException($"{from.Id} has no port on {from.Node}{(from.HostNetwork ? ": it is in the node's network" : $" (it is {from.Phase})")}");
        var flow = $"in_port={port.OfPort},dp_hash=0x{hash:x},dl_src={port.Mac},dl_dst={await NextHopMacAsync(node, port, packet, ct).ConfigureAwait(false)},{packet.ToMatch()}";
        var first = await RunAsync(node, flow, ct).ConfigureAwait(false);
        if (first.Output != BridgePorts.Tunnel)
        {
            return new TraceResult(from.Id, to, packet, first.Steps, VerdictWriter.Judge(node, first, first.Steps, packet));
        }

        var remoteAddress = first.Packet.GetValueOrDefault("tun_dst") ?? first.Packet.GetValueOrDefault("tun_ipv6_dst") ?? "";
        var name = directory.NodeWithAddress(remoteAddress)
            ?? throw new CtlException($"{from.Node} sends it into the tunnel to {remoteAddress}, which is no node's address");
        var remote = await directory.ViewAsync(name, ct).ConfigureAwait(false);
        var second = await RunAsync(remote, Arriving(first, node), ct).ConfigureAwait(false);
        IReadOnlyList<TraceStep> steps = [.. first.Steps, .. second.Steps];
        return new TraceResult(from.Id, to, packet, steps, VerdictWriter.Judge(remote, second, steps, packet));
    }

    private static async Task<SwitchTrace> RunAsync(NodeView node, string flow, CancellationToken ct) =>
        SwitchTrace.Read(await node.RunAsync(ct, "ovs-appctl", "--timeout=10", "ofproto/trace", node.Bridge, flow).ConfigureAwait(false), node);

    /// <summary>The packet as the other node takes it from the tunnel.</summary>
    private static string Arriving(SwitchTrace sent, NodeView sender)
    {
        var parts = new List<string> { $"in_port={BridgePorts.Tunnel}" };
        var key = sent.Packet.GetValueOrDefault("tun_id") ?? sent.Packet.GetValueOrDefault("metadata") ?? "0x1";
        parts.Add($"tun_id={key}");
        var (from, to) = (sender.Slice.Node(sender.Name)?.Addresses.FirstOrDefault(), sent.Packet.GetValueOrDefault("tun_dst"));
        if (to is not null && from is not null && IPAddress.TryParse(from, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
        {
            parts.Add($"tun_src={from},tun_dst={to}");
        }

        var protocol = Protocols.FirstOrDefault(sent.Packet.ContainsKey) ?? "ip";
        parts.Add(protocol);
        parts.AddRange(Headers.Where(h => sent.Packet.GetValueOrDefault(h) is { Length: > 0 }).Select(h => $"{Readable(h, protocol)}={sent.Packet[h]}"));
        return string.Join(',', parts);
    }

    /// <summary>The trace prints <c>tp_src</c> and <c>icmp_type</c> for every protocol, and reads them for one only.</summary>
    private static string Readable(string header, string protocol) => header switch
    {
        "tp_src" or "tp_dst" => protocol.TrimEnd('6') + header[2..],
        "icmp_type" or "icmp_code" when protocol == "icmp6" => "icmpv6" + header[4..],
        _ => header,
    };

    /// <summary>The MAC address that the sender finds by ARP or neighbour discovery: the pod's in its own subnet, else the router's.</summary>
    internal async Task<string> NextHopMacAsync(NodeView node, NodePort port, TracePacket packet, CancellationToken ct)
    {
        var shared = node.Slice.All<LogicalSwitch>().Any(s => s.NetworkKey == port.NetworkKey
            && s.Subnets.Any(n => IPNetwork.TryParse(n.Cidr, out var cidr) && cidr.Contains(packet.Source) && cidr.Contains(packet.Destination)));
        if (!shared)
        {
            return BridgePorts.RouterMac;
        }

        var target = packet.Destination.ToString();
        if (node.Ports.FirstOrDefault(p => p.NetworkKey == port.NetworkKey && p.Addresses.Contains(target)) is { Mac: { } near })
        {
            return near;
        }

        foreach (var name in directory.NodeNames.Where(n => n != node.Name))
        {
            var other = await directory.ViewAsync(name, ct).ConfigureAwait(false);
            if (other.Ports.FirstOrDefault(p => p.NetworkKey == port.NetworkKey && p.Addresses.Contains(target)) is { Mac: { } far })
            {
                return far;
            }
        }

        return BridgePorts.RouterMac;
    }
}
