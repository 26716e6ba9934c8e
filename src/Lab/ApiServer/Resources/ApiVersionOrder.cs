using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>The order of API versions: v2 before v1 before v1beta2 before v1alpha1 before other names.</summary>
public static partial class ApiVersionOrder
{
    /// <summary>Higher is preferred.</summary>
    public static (int Stability, int Major, int Minor) Rank(string version)
    {
        var match = Version().Match(version);
        if (!match.Success)
        {
            return (-1, 0, 0);
        }

        var stability = match.Groups[2].Value switch { "" => 2, "beta" => 1, _ => 0 };
        return (stability, Number(match.Groups[1].Value), Number(match.Groups[3].Value));
    }

    private static int Number(string text) => text.Length == 0 ? 0 : int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex("^v([0-9]{1,6})(?:(alpha|beta)([0-9]{1,6}))?$")]
    private static partial Regex Version();
}
