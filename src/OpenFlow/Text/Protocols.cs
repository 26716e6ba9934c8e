namespace Weft.OpenFlow.Text;

/// <summary>Words that stand for an eth_type and an IP protocol (ovs-ofctl(8)).</summary>
internal static class Protocols
{
    private static readonly Dictionary<string, (ushort EthType, byte? Proto)> Words = new(StringComparer.Ordinal)
    {
        ["ip"] = (0x0800, null),
        ["ipv4"] = (0x0800, null),
        ["ip4"] = (0x0800, null),
        ["arp"] = (0x0806, null),
        ["icmp"] = (0x0800, 1),
        ["tcp"] = (0x0800, 6),
        ["udp"] = (0x0800, 17),
        ["sctp"] = (0x0800, 132),
        ["ipv6"] = (0x86dd, null),
        ["ip6"] = (0x86dd, null),
        ["icmp6"] = (0x86dd, 58),
        ["tcp6"] = (0x86dd, 6),
        ["udp6"] = (0x86dd, 17),
        ["sctp6"] = (0x86dd, 132),
        ["rarp"] = (0x8035, null),
        ["mpls"] = (0x8847, null),
        ["mplsm"] = (0x8848, null),
    };

    public static (ushort EthType, byte? Proto)? Find(string word) => Words.TryGetValue(word, out var found) ? found : null;
}
