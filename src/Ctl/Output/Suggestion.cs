namespace Weft.Ctl.Output;

/// <summary>The name that was probably meant.</summary>
public static class Suggestion
{
    /// <summary>The known name nearest to one that is not known, or null when none is near.</summary>
    /// <remarks>Near is at most a third of the letters away; a name without its namespace is near when one namespace has it.</remarks>
    public static string? For(string given, IEnumerable<string> known)
    {
        var names = given.Length == 0 ? [] : known.Distinct(StringComparer.Ordinal).ToList();
        var word = LastPart(given);
        return names.Select(n => (Name: n, Distance: Distance(given, n))).Where(c => c.Distance <= Math.Max(1, given.Length / 3)).OrderBy(c => c.Distance).ThenBy(c => c.Name, StringComparer.Ordinal).FirstOrDefault().Name
            ?? (names.Where(n => LastPart(n) == word).Take(2).ToList() is [var only] ? only : null);
    }

    /// <summary>The same as the end of a sentence: <c>: did you mean 'x'?</c>, or what to say when nothing is near.</summary>
    public static string Ending(string given, IEnumerable<string> known, string otherwise = "") =>
        For(given, known) is { } name ? $": did you mean '{name}'?" : otherwise;

    private static string LastPart(string name) => name[(name.LastIndexOf('/') + 1)..];

    /// <summary>Letters to insert, delete or replace (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (corner, left) = (row[0], i);
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                left = Math.Min(Math.Min(left, row[j]) + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1));
                (corner, row[j]) = (row[j], left);
            }
        }

        return row[^1];
    }
}
