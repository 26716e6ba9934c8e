using System.Text.RegularExpressions;

namespace Weft.Agent;

/// <summary>Puts environment variables into texts of the configuration: one file serves every node.</summary>
internal static partial class EnvironmentText
{
    /// <summary>Replaces every <c>${NAME}</c>. An IPv6 address in front of a port gets its brackets.</summary>
    /// <param name="field">The field, for the error.</param>
    /// <exception cref="FormatException">A variable is not set.</exception>
    public static string Expand(string field, string text) => Pattern().Replace(text, found =>
    {
        var name = found.Groups[1].Value;
        var value = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(value))
        {
            throw new FormatException($"{field} has '{text}': the environment variable {name} is not set");
        }

        var isBareV6 = value.Contains(':', StringComparison.Ordinal) && System.Net.IPAddress.TryParse(value, out _);
        return isBareV6 && found.Index + found.Length < text.Length && text[found.Index + found.Length] == ':' ? $"[{value}]" : value;
    });

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Pattern();
}
