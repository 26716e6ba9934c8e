using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host.Isolation;

/// <summary>Writes the table <c>inet weft_tenants</c> in nft(8) syntax, and knows it in netlink messages.</summary>
internal static class IsolationText
{
    /// <summary>The table's name: not <see cref="NftText.Table"/>, which is replaced as a whole.</summary>
    public const string Table = "weft_tenants";

    /// <summary>The set with the kubelet's cgroup, by its id: nft(8) would want a path below its own /sys/fs/cgroup.</summary>
    public const string KubeletSet = "kubelet";

    /// <summary>The set with the agent's own cgroup.</summary>
    public const string SelfSet = "self";

    /// <summary>Counts as an alias: what the agent sends there must be refused.</summary>
    public static readonly IPAddress ClosedCheck = IPAddress.Parse("127.87.69.1");

    /// <summary>Refused to the agent's own cgroup, and to nobody else: that the kernel compares cgroups as expected.</summary>
    public static readonly IPAddress CgroupCheck = IPAddress.Parse("127.87.69.2");

    /// <summary>The set of an alias.</summary>
    public static string SetOf(IPAddress alias) => alias.AddressFamily == AddressFamily.InterNetworkV6 ? "aliases6" : "aliases4";

    /// <summary>Makes the sets where they are missing, and the check of <see cref="CgroupCheck"/>. Leaves open or closed what is so.</summary>
    /// <param name="ownLevel">How far below the root the agent's cgroup is.</param>
    public static string Prepare(int ownLevel) => string.Create(CultureInfo.InvariantCulture, $$"""
        table inet {{Table}} {
          set {{KubeletSet}} {
            type cgroupsv2
          }
          set {{SelfSet}} {
            type cgroupsv2
          }
          set aliases4 {
            type ipv4_addr
          }
          set aliases6 {
            type ipv6_addr
          }
          chain check {
            type filter hook output priority 10; policy accept;
          }
          chain guard {
          }
          chain output {
            type filter hook output priority 10; policy accept;
          }
          chain forward {
            type filter hook forward priority 10; policy accept;
          }
        }
        flush chain inet {{Table}} check
        add rule inet {{Table}} check ip daddr {{CgroupCheck}} socket cgroupv2 level {{ownLevel}} @{{SelfSet}} reject with icmpx type admin-prohibited

        """);

    /// <summary>Closes the aliases, in one transaction with whatever was before.</summary>
    /// <param name="kubeletLevel">How far below the root the kubelet's cgroup is; null: it is let through no more than others.</param>
    /// <param name="aliases">All aliases of the node.</param>
    public static string Close(int? kubeletLevel, IEnumerable<IPAddress> aliases)
    {
        var text = new StringBuilder();
        foreach (var chain in new[] { "guard", "output", "forward" })
        {
            text.Append(CultureInfo.InvariantCulture, $"flush chain inet {Table} {chain}\n");
        }

        // Neighbour discovery is the kernel's, which asks a known neighbour at its address.
        Rule("guard", "ct direction reply accept");
        Rule("guard", "ct state related accept");
        Rule("guard", "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept");
        if (kubeletLevel is { } level)
        {
            Rule("guard", string.Create(CultureInfo.InvariantCulture, $"socket cgroupv2 level {level} @{KubeletSet} accept"));
        }

        // A reset, because a socket that is just connecting passes over an ICMP message, and tries for a second more.
        Rule("guard", "meta l4proto tcp counter reject with tcp reset");
        Rule("guard", "counter reject with icmpx type admin-prohibited");
        Rule("output", "ip daddr @aliases4 jump guard");
        Rule("output", "ip6 daddr @aliases6 jump guard");

        // Of containers and machines behind this host, masqueraded as the node they would look like it.
        Rule("forward", "ip daddr @aliases4 ct direction original reject with icmpx type admin-prohibited");
        Rule("forward", "ip6 daddr @aliases6 ct direction original reject with icmpx type admin-prohibited");
        var members = aliases.Append(ClosedCheck).Distinct().ToLookup(SetOf, StringComparer.Ordinal);
        foreach (var set in new[] { "aliases4", "aliases6" })
        {
            text.Append(CultureInfo.InvariantCulture, $"flush set inet {Table} {set}\n");
            if (members.Contains(set))
            {
                text.Append(CultureInfo.InvariantCulture, $"add element inet {Table} {set} {{ {string.Join(", ", members[set])} }}\n");
            }
        }

        return text.ToString();

        void Rule(string chain, string rule) => text.Append(CultureInfo.InvariantCulture, $"add rule inet {Table} {chain} {rule}\n");
    }

    /// <summary>Removes the table; one that is not there is no error.</summary>
    public static string Remove() => $"table inet {Table}\ndelete table inet {Table}\n";

    /// <summary>Whether an event of nftables is about this table and no other.</summary>
    public static bool TellsOfItOnly(ReadOnlySpan<byte> datagram)
    {
        // Every message's first attribute is its table's name, but for NEWGEN, which follows each transaction on its own. Nothing at all: events were lost.
        const ushort newGeneration = (10 << 8) | 15;
        const ushort tableName = 1;
        var any = false;
        while (NetlinkMessage.TryRead(ref datagram, out var message))
        {
            any = true;
            if (message.Type == newGeneration)
            {
                continue;
            }

            var attributes = new AttributeReader(message.Body.Length > 4 ? message.Body[4..] : []);
            var name = "";
            while (name.Length == 0 && attributes.Next())
            {
                name = attributes.Type == tableName ? attributes.Text : "";
            }

            if (name != Table)
            {
                return false;
            }
        }

        return any;
    }
}
