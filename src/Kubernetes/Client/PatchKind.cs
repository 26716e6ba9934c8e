namespace Weft.Kubernetes;

/// <summary>How a patch is written.</summary>
public enum PatchKind
{
    /// <summary>RFC 7396: members replace, null removes, lists are replaced whole.</summary>
    Merge,

    /// <summary>Kubernetes' own: lists with a merge key (conditions by type) are merged. Built-in kinds only.</summary>
    StrategicMerge,

    /// <summary>RFC 6902: a list of operations.</summary>
    Json,

    /// <summary>Server-side apply as field manager <c>weft</c>, taking over fields that others own.</summary>
    Apply,
}

internal static class PatchKinds
{
    public static string MediaType(this PatchKind kind) => kind switch
    {
        PatchKind.Merge => "application/merge-patch+json",
        PatchKind.StrategicMerge => "application/strategic-merge-patch+json",
        PatchKind.Json => "application/json-patch+json",
        PatchKind.Apply => "application/apply-patch+yaml",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown kind of patch"),
    };
}
