using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>A cluster-wide policy of any kind (ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy), with what they have in common.</summary>
/// <remarks>Semantics: network-policy-api, policy.networking.k8s.io v1alpha2 and v1alpha1.</remarks>
internal sealed record ClusterPolicy
{
    public const string ClusterKind = "ClusterNetworkPolicy";
    public const string AdminKind = "AdminNetworkPolicy";
    public const string BaselineKind = "BaselineAdminNetworkPolicy";

    /// <summary>The highest number of a priority, and the baseline's own.</summary>
    private const int LastPriority = 1000;

    /// <summary>Rules of a direction, by kind: what v1alpha2 and v1alpha1 of the API allow.</summary>
    private const int MostClusterRules = 25;
    private const int MostAdminRules = 100;

    /// <summary><c>kind/name</c>.</summary>
    public required string Id { get; init; }

    public required PolicyTier Tier { get; init; }

    public required int Priority { get; init; }

    public required ClusterPolicySpec Spec { get; init; }

    /// <summary>Its annotations.</summary>
    public V1ObjectMeta? Metadata { get; init; }

    /// <summary>Whether addresses and labels of nodes decide about its rules.</summary>
    public bool HasNodes => (Spec.Egress ?? []).Exists(r => r.To is { } peers && peers.Exists(p => p.Nodes is not null));

    public static string IdOf(string kind, string name) => $"{kind}/{name}";

    /// <exception cref="InvalidObjectException">A field that says where it stands cannot be used.</exception>
    public static ClusterPolicy Of(V1Alpha2ClusterNetworkPolicy policy) => Of(policy.Spec, IdOf(ClusterKind, policy.Metadata.Name!), policy.Spec?.Tier switch
    {
        "Admin" => PolicyTier.Admin,
        "Baseline" => PolicyTier.Baseline,
        var other => throw new InvalidObjectException($"spec.tier is '{other}': it must be Admin or Baseline"),
    }, policy.Spec.Priority) with { Metadata = policy.Metadata };

    /// <inheritdoc cref="Of(V1Alpha2ClusterNetworkPolicy)"/>
    public static ClusterPolicy Of(V1Alpha1AdminNetworkPolicy policy) => Of(policy.Spec, IdOf(AdminKind, policy.Metadata.Name!), PolicyTier.Admin, policy.Spec?.Priority) with { Metadata = policy.Metadata };

    /// <inheritdoc cref="Of(V1Alpha2ClusterNetworkPolicy)"/>
    public static ClusterPolicy Of(V1Alpha1BaselineAdminNetworkPolicy policy) => policy.Metadata.Name == "default"
        ? Of(policy.Spec, IdOf(BaselineKind, policy.Metadata.Name), PolicyTier.Baseline, LastPriority) with { Metadata = policy.Metadata }
        : throw new InvalidObjectException($"metadata.name is '{policy.Metadata.Name}': the only BaselineAdminNetworkPolicy is named default");

    private static ClusterPolicy Of(ClusterPolicySpec? spec, string id, PolicyTier tier, int? priority)
    {
        spec = spec ?? throw new InvalidObjectException("spec is missing");
        if (priority is not (>= 0 and <= LastPriority))
        {
            throw new InvalidObjectException($"spec.priority is {priority?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "missing"}: it must be 0 to {LastPriority}");
        }

        var most = id.StartsWith(ClusterKind + "/", StringComparison.Ordinal) ? MostClusterRules : MostAdminRules;
        foreach (var (name, rules) in new[] { ("ingress", spec.Ingress), ("egress", spec.Egress) })
        {
            if (rules?.Count > most)
            {
                throw new InvalidObjectException($"spec.{name} has {rules.Count} rules: at most {most} are possible; split the policy into several with priorities in order");
            }
        }

        return new ClusterPolicy { Id = id, Tier = tier, Priority = priority.Value, Spec = spec };
    }
}
