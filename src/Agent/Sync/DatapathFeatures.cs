namespace Weft.Agent.Sync;

/// <summary>What the switch's data path must be able to do, by the names of <c>Datapath.capabilities</c> (ovs-vswitchd.conf.db(5)).</summary>
public static class DatapathFeatures
{
    private static readonly (string Name, string Without)[] Needed =
    [
        ("recirc", "no connection is tracked"),
        ("ct_state", "policies and Services do not work"),
        ("ct_zone", "networks with the same addresses are not kept apart"),
        ("ct_mark", "Services do not work"),
        ("ct_state_nat", "Services do not work"),
        ("ct_orig_tuple", "policies do not see the first destination of IPv4 connections"),
        ("ct_orig_tuple6", "policies do not see the first destination of IPv6 connections"),
    ];

    /// <summary>Whether a data path can write the flags and the option of a neighbour advertisement: of those that there are, only the userspace one.</summary>
    public static bool WritesAdvertisements(string type) => type == "netdev";

    /// <summary>What is missing, a sentence each; empty when all is there or the switch has not said yet.</summary>
    /// <param name="type">The data path's type, for the words.</param>
    /// <param name="capabilities">What the switch says; empty while it has not.</param>
    public static IReadOnlyList<string> Missing(string type, IReadOnlyDictionary<string, string> capabilities)
    {
        ArgumentNullException.ThrowIfNull(capabilities);
        return capabilities.Count == 0
            ? []
            : [.. Needed.Where(n => capabilities.GetValueOrDefault(n.Name) != "true")
                .Select(n => $"data path '{type}' lacks {n.Name}: {n.Without}; use a newer kernel, load its conntrack modules, or set datapathType to 'netdev'")];
    }
}
