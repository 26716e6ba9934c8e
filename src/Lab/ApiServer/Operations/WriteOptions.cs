namespace Weft.Lab.ApiServer;

public enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>What a writer asked for beside the object.</summary>
public sealed record WriteOptions
{
    /// <summary>Everything is checked and nothing is stored.</summary>
    public bool DryRun { get; init; }

    public string FieldManager { get; init; } = "unknown";

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Warn;

    /// <summary>Server-side apply takes fields over from other managers.</summary>
    public bool Force { get; init; }

    /// <summary>Filled with what goes into <c>Warning</c> headers.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Writes of the server's own controllers.</summary>
    public static WriteOptions Internal { get; } = new() { FieldValidation = FieldValidation.Ignore, FieldManager = "weft-lab" };
}
