namespace Weft.Agent.Names;

/// <summary>Names of rules: <c>kubernetes.io</c> is that name alone, <c>*.kubernetes.io</c> every name below it, at any depth, and not itself.</summary>
public static class NamePattern
{
    private const string Wildcard = "*.";

    /// <summary>Whether a pattern means a name. Both are lower case and without a last dot.</summary>
    public static bool Matches(string pattern, string name) => pattern.StartsWith(Wildcard, StringComparison.Ordinal)
        ? name.Length >= pattern.Length && name.EndsWith(pattern[1..], StringComparison.Ordinal)
        : pattern == name;
}
