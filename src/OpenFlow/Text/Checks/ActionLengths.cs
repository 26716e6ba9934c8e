using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Which lengths actions of OpenFlow 1.3 may have (ofp_raw_action_type in OVS's ofp-actions.c).</summary>
internal static class ActionLengths
{
    private const int Any = ushort.MaxValue;
    private const int OnfCopy = 3200;

    private static readonly Dictionary<int, (int Least, int Most)> Standard = new()
    {
        [0] = (16, 16), [1] = (8, 8), [2] = (8, 8), [3] = (16, 16), [4] = (16, 16), [5] = (8, 8), [6] = (8, 8), [7] = (8, 8), [8] = (8, 8), [9] = (8, 8),
        [10] = (8, 8), [13] = (8, 8), [14] = (8, 8), [15] = (8, 8), [16] = (8, 8), [17] = (8, 8), [18] = (8, 8), [19] = (8, 8), [20] = (8, 8), [21] = (8, 8),
        [22] = (8, 8), [23] = (8, 8), [24] = (8, 8), [25] = (8, Any),
    };

    private static readonly Dictionary<int, (int Least, int Most)> Nicira = new()
    {
        [1] = (16, 16), [2] = (16, 16), [5] = (16, 16), [6] = (16, Any), [7] = (24, 24), [8] = (16, Any), [9] = (24, 24), [10] = (32, 32), [12] = (32, Any), [13] = (32, Any),
        [14] = (16, 16), [15] = (24, 24), [16] = (32, Any), [17] = (16, 16), [19] = (16, 16), [20] = (16, 16), [21] = (16, Any), [22] = (32, 32), [27] = (24, 24),
        [28] = (24, 24), [29] = (24, 24), [32] = (24, 24), [33] = (16, Any), [34] = (16, 16), [35] = (24, Any), [36] = (16, Any), [37] = (16, Any), [38] = (32, 32),
        [39] = (16, 16), [41] = (32, 32), [42] = (16, Any), [43] = (16, 16), [44] = (16, 16), [45] = (40, Any), [46] = (16, Any), [47] = (16, Any), [48] = (16, 16),
        [49] = (24, Any), [50] = (24, 24), [254] = (16, 16), [255] = (16, 16),
    };

    /// <summary>All actions that Open vSwitch knows with OpenFlow 1.3, by experimenter (0 for none) and type.</summary>
    public static IEnumerable<(uint Vendor, int Type)> All =>
        [.. Standard.Keys.Select(t => (0u, t)), .. Nicira.Keys.Select(t => (Vendors.Nicira, t)), (Vendors.Onf, OnfCopy)];

    /// <summary>The least and most bytes; null for a type that Open vSwitch does not know.</summary>
    public static (int Least, int Most)? Of(uint vendor, int type) => vendor switch
    {
        0 => Standard.TryGetValue(type, out var standard) ? standard : null,
        Vendors.Nicira => Nicira.TryGetValue(type, out var nicira) ? nicira : null,
        _ => type == OnfCopy ? (24, Any) : null,
    };
}
