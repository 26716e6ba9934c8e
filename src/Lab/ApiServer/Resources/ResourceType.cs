using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>One served resource in one version: what discovery says about it and how its objects are treated.</summary>
public sealed record ResourceType
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public required string Singular { get; init; }

    public bool Namespaced { get; init; }

    public ImmutableArray<string> ShortNames { get; init; } = [];

    public ImmutableArray<string> Categories { get; init; } = [];

    /// <summary>Names after the object's name in a path: "status", "scale", "binding", "eviction", "log", "exec", "token"...</summary>
    public ImmutableArray<string> Subresources { get; init; } = [];

    /// <summary>Answered at once and never stored, such as <c>tokenreviews</c>.</summary>
    public bool CreateOnly { get; init; }

    /// <summary>Objects of every version of a resource are kept under one key, in <see cref="StorageVersion"/>.</summary>
    public required string StorageKey { get; init; }

    public required string StorageVersion { get; init; }

    /// <summary>What the fields may be; null when any object goes.</summary>
    public Schema? Schema { get; init; }

    /// <summary>Set for resources that come from a CustomResourceDefinition.</summary>
    public CustomResource? Custom { get; init; }

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public string GroupVersionPath => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    /// <summary>"pods", "networkpolicies.networking.k8s.io".</summary>
    public string QualifiedPlural => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public bool HasStatus => Subresources.Contains("status");

    public bool IsCore(string plural) => Group.Length == 0 && Plural == plural;

    public override string ToString() => $"{Plural}.{Version}.{Group}";
}
