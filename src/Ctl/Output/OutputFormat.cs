using System.CommandLine;

namespace Weft.Ctl.Output;

/// <summary>How a command prints: for people, or for programs.</summary>
public enum OutputFormat
{
    /// <summary>Tables and sentences.</summary>
    Table = 0,

    /// <summary>One JSON value.</summary>
    Json,

    /// <summary>The same as YAML.</summary>
    Yaml,
}

/// <summary>The option <c>-o</c>.</summary>
public static class OutputOption
{
    /// <summary>A new one; each command has its own.</summary>
    public static Option<OutputFormat> Create() => OfWords("table for people; json or yaml for programs", OutputFormat.Table);

    /// <summary>An option <c>-o</c> that takes an enumeration's names in lower case.</summary>
    public static Option<T> OfWords<T>(string description, T usual)
        where T : struct, Enum
    {
        string[] words = [.. Enum.GetNames<T>().Select(n => n.ToLowerInvariant())];
        var option = new Option<T>("--output", "-o")
        {
            Description = $"{description} [default: {usual.ToString().ToLowerInvariant()}]",
            HelpName = string.Join('|', words),
            CustomParser = result =>
            {
                if (result.Tokens is [{ Value: var word }] && Array.IndexOf(words, word.ToLowerInvariant()) is >= 0 and var place)
                {
                    return Enum.GetValues<T>()[place];
                }

                result.AddError($"--output is '{string.Join(' ', result.Tokens.Select(t => t.Value))}': it must be {string.Join(", ", words[..^1])} or {words[^1]}");
                return usual;
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        return option;
    }
}
