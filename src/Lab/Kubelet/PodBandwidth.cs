using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>What a container runtime makes of a pod's annotations for its bandwidth: <c>runtimeConfig.bandwidth</c> of the CNI conventions.</summary>
internal static class PodBandwidth
{
    public const string Ingress = "kubernetes.io/ingress-bandwidth";
    public const string Egress = "kubernetes.io/egress-bandwidth";

    // What containerd says of the burst: nobody chose one.
    private const long AnyBurst = int.MaxValue;

    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m), ("", 1),
    ];

    /// <summary>The capability's object, or null when the pod has no such annotation.</summary>
    /// <exception cref="CniCallException">A value is no quantity.</exception>
    public static JsonObject? Read(IReadOnlyDictionary<string, string> annotations)
    {
        var bandwidth = new JsonObject();
        foreach (var (annotation, direction) in ((string, string)[])[(Ingress, "ingress"), (Egress, "egress")])
        {
            if (annotations.TryGetValue(annotation, out var text))
            {
                bandwidth[direction + "Rate"] = BitsPerSecond(annotation, text);
                bandwidth[direction + "Burst"] = AnyBurst;
            }
        }

        return bandwidth.Count > 0 ? bandwidth : null;
    }

    private static long BitsPerSecond(string annotation, string text)
    {
        var (suffix, factor) = Suffixes.First(s => text.EndsWith(s.Suffix, StringComparison.Ordinal));
        return decimal.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * factor is > 0 and < 1e18m
            ? (long)(number * factor)
            : throw new CniCallException(7, $"annotation {annotation} is '{text}': no quantity of bits per second, such as 10M");
    }
}
