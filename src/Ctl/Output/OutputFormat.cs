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
    public static Option<OutputFormat> Create() => new("--output", "-o") { Description = "table for people; json or yaml for programs", DefaultValueFactory = _ => OutputFormat.Table };
}
