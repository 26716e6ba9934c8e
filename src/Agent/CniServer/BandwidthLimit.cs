using System.Globalization;

namespace Weft.Agent.CniServer;

/// <summary>How fast a pod may receive or send.</summary>
/// <param name="Rate">Bits per second, <see cref="Least"/> to <see cref="Most"/>.</param>
/// <param name="Burst">Bits that may come faster, after a pause.</param>
public sealed record BandwidthLimit(long Rate, long Burst)
{
    /// <summary>The least that Kubernetes takes (1k).</summary>
    public const long Least = 1000;

    /// <summary>The most that Open vSwitch 3.1 can tell the kernel: 32 bits of bytes.</summary>
    public const long Most = uint.MaxValue * 8L;

    private const long LeastBurst = 8 * 20 * 1024;

    /// <summary>A limit with a burst in which the rate is kept within each second.</summary>
    /// <param name="rate">Bits per second.</param>
    /// <param name="burst">What the runtime says, bits; 0: nothing. Runtimes say a number of 31 or 32 ones when nobody chose one.</param>
    public static BandwidthLimit Of(long rate, long burst)
    {
        // A tenth of a second's worth: more, and whoever measures a second does not see the limit; less than some packets, and it is never reached.
        var most = Math.Max(rate / 10, LeastBurst);
        return new BandwidthLimit(rate, burst == 0 ? Math.Max(rate / 50, LeastBurst) : Math.Clamp(burst, LeastBurst, most));
    }

    /// <summary>Reads what <see cref="ToString"/> gives, or null.</summary>
    public static BandwidthLimit? Parse(string? text) => text?.Split('/') is [var rate, var burst]
        && long.TryParse(rate, NumberStyles.None, CultureInfo.InvariantCulture, out var r) && long.TryParse(burst, NumberStyles.None, CultureInfo.InvariantCulture, out var b)
        ? new BandwidthLimit(r, b)
        : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rate}/{Burst}");
}
