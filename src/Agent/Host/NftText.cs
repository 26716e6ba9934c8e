using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host;

/// <summary>Writes the table <c>inet weft</c> in nft(8) syntax.</summary>
internal static class NftText
{
    /// <summary>The table's name.</summary>
    public const string Table = "weft";

    /// <summary>The whole table. Equal plans give equal text.</summary>
    public static string Of(HostTargets targets)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"table inet {Table} {{\n");
        AppendSet(text, "pods4", "Addresses of this node's pods", AddressFamily.InterNetwork, targets.MasqueradeSources);
        AppendSet(text, "pods6", "Addresses of this node's pods", AddressFamily.InterNetworkV6, targets.MasqueradeSources);
        AppendSet(text, "inside4", "Destinations that see a pod's own address", AddressFamily.InterNetwork, targets.NeverMasquerade);
        AppendSet(text, "inside6", "Destinations that see a pod's own address", AddressFamily.InterNetworkV6, targets.NeverMasquerade);

        AppendSet(text, "refused4", "Destinations of which the switch knows no endpoint", AddressFamily.InterNetwork, targets.Refuse);
        AppendSet(text, "refused6", "Destinations of which the switch knows no endpoint", AddressFamily.InterNetworkV6, targets.Refuse);

        AppendPorts(text, "nodeports4", targets.NodePorts4);
        AppendPorts(text, "nodeports6", targets.NodePorts6);
        AppendNodePortChains(text, targets.Plan.GatewayInterface, targets.NodePortAddresses);
        AppendReturnChains(text, targets.Plan);

        // Refused before it is routed: a host that forwards to where a packet came from sends an ICMP redirect first, and the limit
        // on ICMP messages to one host (icmp_ratelimit) then leaves none for the refusal.
        // Leaving by the gateway interface is going to a pod: always with its own address.
        text.Append(CultureInfo.InvariantCulture, $$"""
              chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                oifname "{{targets.Plan.GatewayInterface}}" return
                ip saddr @pods4 ip daddr != @inside4 masquerade fully-random comment "pods leave the cluster as this node"
                ip6 saddr @pods6 ip6 daddr != @inside6 masquerade fully-random comment "pods leave the cluster as this node"
              }
              chain refuse {
                type filter hook prerouting priority filter; policy accept;
                iifname "{{targets.Plan.GatewayInterface}}" ip daddr @refused4 meta l4proto tcp reject with tcp reset
                iifname "{{targets.Plan.GatewayInterface}}" ip daddr @refused4 reject with icmp port-unreachable
                iifname "{{targets.Plan.GatewayInterface}}" ip6 daddr @refused6 meta l4proto tcp reject with tcp reset
                iifname "{{targets.Plan.GatewayInterface}}" ip6 daddr @refused6 reject with icmpv6 port-unreachable
              }
            }

            """);
        return text.ToString();
    }

    /// <summary>Node ports: to the switch, which knows the endpoints. The client's address stays.</summary>
    private static void AppendNodePortChains(StringBuilder text, string gateway, IReadOnlyList<IPAddress> addresses)
    {
        foreach (var (chain, hook) in new[] { ("nodeports", "prerouting priority dstnat"), ("nodeports_own", "output priority -100") })
        {
            text.Append(CultureInfo.InvariantCulture, $"  chain {chain} {{\n    type nat hook {hook}; policy accept;\n");
            if (chain == "nodeports")
            {
                // The switch has balanced what pods send to node ports; what still comes here has no endpoint, and the host refuses it.
                text.Append(CultureInfo.InvariantCulture, $"    iifname \"{gateway}\" return\n");
            }

            foreach (var address in addresses)
            {
                text.Append(address.AddressFamily == AddressFamily.InterNetworkV6
                    ? $"    ip6 daddr != ::1 fib daddr type local meta l4proto . th dport @nodeports6 dnat ip6 to {address}\n"
                    : $"    ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport @nodeports4 dnat ip to {address}\n");
            }

            text.Append("  }\n");
        }
    }

    /// <summary>What came in at the gateway interface from a client elsewhere is answered there.</summary>
    private static void AppendReturnChains(StringBuilder text, HostPlan plan)
    {
        if (plan.ReturnMark == 0)
        {
            return;
        }

        var mark = $"0x{plan.ReturnMark:x8}";
        text.Append(CultureInfo.InvariantCulture, $$"""
              chain return_mark {
                type filter hook prerouting priority mangle; policy accept;
                iifname "{{plan.GatewayInterface}}" ct direction original ip saddr != @pods4 fib daddr type local ct mark set ct mark | {{mark}}
                iifname "{{plan.GatewayInterface}}" ct direction original ip6 saddr != @pods6 fib daddr type local ct mark set ct mark | {{mark}}
              }
              chain return_route {
                type route hook output priority mangle; policy accept;
                ct direction reply ct mark & {{mark}} == {{mark}} meta mark set meta mark | {{mark}}
              }

            """);
    }

    private static void AppendPorts(StringBuilder text, string name, IEnumerable<string> ports)
    {
        text.Append(CultureInfo.InvariantCulture, $"  set {name} {{\n    type inet_proto . inet_service\n    comment \"Node ports\"\n");
        var elements = ports.Distinct().Order(StringComparer.Ordinal).ToList();
        if (elements.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    elements = {{ {string.Join(", ", elements)} }}\n");
        }

        text.Append("  }\n");
    }

    private static void AppendSet(StringBuilder text, string name, string comment, AddressFamily family, IEnumerable<InterfaceAddress> members)
    {
        var type = family == AddressFamily.InterNetwork ? "ipv4_addr" : "ipv6_addr";
        text.Append(CultureInfo.InvariantCulture, $"  set {name} {{\n    type {type}\n    flags interval\n    auto-merge\n    comment \"{comment}\"\n");
        var elements = members.Where(a => a.Address.AddressFamily == family).Select(a => a.ToString()).Distinct().Order(StringComparer.Ordinal).ToList();
        if (elements.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    elements = {{ {string.Join(", ", elements)} }}\n");
        }

        text.Append("  }\n");
    }
}
