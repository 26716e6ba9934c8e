using System.Globalization;

namespace Weft.Lab.Net;

/// <summary>On slow machines (an emulated one, for example) <c>WEFT_LAB_PATIENCE</c> multiplies every patience.</summary>
internal static class Slowness
{
    /// <summary>1 when nothing is said.</summary>
    public static double Factor { get; } = double.TryParse(Environment.GetEnvironmentVariable("WEFT_LAB_PATIENCE"), CultureInfo.InvariantCulture, out var factor) && factor > 0 ? factor : 1;
}
