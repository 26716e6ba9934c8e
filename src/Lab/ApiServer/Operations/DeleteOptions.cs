using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>How an object is deleted.</summary>
public sealed record DeleteOptions
{
    public long? GracePeriodSeconds { get; init; }

    /// <summary>"Background", "Foreground", "Orphan", or null for the resource's own way.</summary>
    public string? Propagation { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public bool DryRun { get; init; }

    /// <exception cref="ApiException">A field has an impossible value.</exception>
    public static DeleteOptions Read(JsonObject? body, Func<string, string?> query)
    {
        var grace = body.Integer("gracePeriodSeconds")
            ?? (long.TryParse(query("gracePeriodSeconds"), out var seconds) ? seconds : null);
        var propagation = body.Text("propagationPolicy") ?? query("propagationPolicy")
            ?? (body.At("orphanDependents") is null ? null : body.Flag("orphanDependents") ? "Orphan" : "Background");
        if (propagation is not (null or "Background" or "Foreground" or "Orphan"))
        {
            throw ApiException.BadRequest($"propagationPolicy: \"{propagation}\": use Background, Foreground or Orphan");
        }

        if (grace < 0)
        {
            grace = 1;
        }

        return new DeleteOptions
        {
            GracePeriodSeconds = grace,
            Propagation = propagation,
            Uid = body.Text("preconditions", "uid"),
            ResourceVersion = body.Text("preconditions", "resourceVersion"),
            DryRun = body.At("dryRun").Texts().Contains("All") || query("dryRun") == "All",
        };
    }
}
