namespace Weft.Lab.ApiServer;

/// <summary>Which resources need more than the schema says.</summary>
public static class Strategies
{
    public static IReadOnlyDictionary<string, ResourceStrategy> All(ApiServerOptions options, ObjectStore store, ResourceRegistry registry) =>
        new Dictionary<string, ResourceStrategy>(StringComparer.Ordinal)
        {
            ["namespaces"] = new NamespaceStrategy(),
            ["pods"] = new PodStrategy(store),
            ["nodes"] = new NodeStrategy(),
            ["secrets"] = new SecretStrategy(),
            ["services"] = new ServiceStrategy(options.ServiceCidrs, store),
            ["networkpolicies.networking.k8s.io"] = new NetworkPolicyStrategy(),
            ["deployments.apps"] = new WorkloadStrategy(),
            ["replicasets.apps"] = new WorkloadStrategy(),
            ["daemonsets.apps"] = new WorkloadStrategy(),
            ["statefulsets.apps"] = new WorkloadStrategy(),
            [Definitions.StorageKey] = new DefinitionStrategy(registry),
        };
}
