using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>The table of built-in resources: one line each.</summary>
public static class BuiltInResources
{
    // group/version | Kind | plural | short names | scope (ns, cluster; ! = create only, never stored) | subresources | categories | storage key when shared
    private const string Table = """
        v1 | Namespace | namespaces | ns | cluster | status,finalize
        v1 | Node | nodes | no | cluster | status,proxy
        v1 | Pod | pods | po | ns | status,binding,eviction,log,exec,attach,portforward,proxy,ephemeralcontainers | all
        v1 | Service | services | svc | ns | status,proxy | all
        v1 | Endpoints | endpoints | ep | ns
        v1 | Event | events | ev | ns
        v1 | ConfigMap | configmaps | cm | ns
        v1 | Secret | secrets | | ns
        v1 | ServiceAccount | serviceaccounts | sa | ns | token
        v1 | LimitRange | limitranges | limits | ns
        v1 | ResourceQuota | resourcequotas | quota | ns | status
        v1 | PersistentVolume | persistentvolumes | pv | cluster | status
        v1 | PersistentVolumeClaim | persistentvolumeclaims | pvc | ns | status
        v1 | PodTemplate | podtemplates | | ns
        v1 | ReplicationController | replicationcontrollers | rc | ns | status,scale | all
        v1 | Binding | bindings | | ns!
        apps/v1 | Deployment | deployments | deploy | ns | status,scale | all
        apps/v1 | ReplicaSet | replicasets | rs | ns | status,scale | all
        apps/v1 | DaemonSet | daemonsets | ds | ns | status | all
        apps/v1 | StatefulSet | statefulsets | sts | ns | status,scale | all
        apps/v1 | ControllerRevision | controllerrevisions | | ns
        batch/v1 | Job | jobs | | ns | status | all
        batch/v1 | CronJob | cronjobs | cj | ns | status | all
        autoscaling/v2 | HorizontalPodAutoscaler | horizontalpodautoscalers | hpa | ns | status | all
        discovery.k8s.io/v1 | EndpointSlice | endpointslices | | ns
        networking.k8s.io/v1 | NetworkPolicy | networkpolicies | netpol | ns
        networking.k8s.io/v1 | Ingress | ingresses | ing | ns | status
        networking.k8s.io/v1 | IngressClass | ingressclasses | | cluster
        policy/v1 | PodDisruptionBudget | poddisruptionbudgets | pdb | ns | status
        rbac.authorization.k8s.io/v1 | Role | roles | | ns
        rbac.authorization.k8s.io/v1 | RoleBinding | rolebindings | | ns
        rbac.authorization.k8s.io/v1 | ClusterRole | clusterroles | | cluster
        rbac.authorization.k8s.io/v1 | ClusterRoleBinding | clusterrolebindings | | cluster
        coordination.k8s.io/v1 | Lease | leases | | ns
        events.k8s.io/v1 | Event | events | ev | ns | | | events
        scheduling.k8s.io/v1 | PriorityClass | priorityclasses | pc | cluster
        storage.k8s.io/v1 | StorageClass | storageclasses | sc | cluster
        apiextensions.k8s.io/v1 | CustomResourceDefinition | customresourcedefinitions | crd,crds | cluster | status | api-extensions
        apiregistration.k8s.io/v1 | APIService | apiservices | | cluster | status | api-extensions
        admissionregistration.k8s.io/v1 | ValidatingWebhookConfiguration | validatingwebhookconfigurations | | cluster | | api-extensions
        admissionregistration.k8s.io/v1 | MutatingWebhookConfiguration | mutatingwebhookconfigurations | | cluster | | api-extensions
        admissionregistration.k8s.io/v1 | ValidatingAdmissionPolicy | validatingadmissionpolicies | | cluster | status | api-extensions
        admissionregistration.k8s.io/v1 | ValidatingAdmissionPolicyBinding | validatingadmissionpolicybindings | | cluster | | api-extensions
        authentication.k8s.io/v1 | TokenReview | tokenreviews | | cluster!
        authentication.k8s.io/v1 | SelfSubjectReview | selfsubjectreviews | | cluster!
        authorization.k8s.io/v1 | SubjectAccessReview | subjectaccessreviews | | cluster!
        authorization.k8s.io/v1 | SelfSubjectAccessReview | selfsubjectaccessreviews | | cluster!
        authorization.k8s.io/v1 | SelfSubjectRulesReview | selfsubjectrulesreviews | | cluster!
        authorization.k8s.io/v1 | LocalSubjectAccessReview | localsubjectaccessreviews | | ns!
        """;

    public static ImmutableArray<ResourceType> All { get; } =
        [.. Table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Read)];

    private static ResourceType Read(string line)
    {
        var cells = line.Split('|', StringSplitOptions.TrimEntries);
        var slash = cells[0].IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : cells[0][..slash];
        var version = cells[0][(slash + 1)..];
        return new ResourceType
        {
            Group = group,
            Version = version,
            Kind = cells[1],
            Plural = cells[2],
            Singular = cells[1].ToLowerInvariant(),
            ShortNames = Words(cells, 3),
            Namespaced = cells[4].StartsWith("ns", StringComparison.Ordinal),
            CreateOnly = cells[4].EndsWith('!'),
            Subresources = Words(cells, 5),
            Categories = Words(cells, 6),
            StorageKey = cells.Length > 7 ? cells[7] : group.Length == 0 ? cells[2] : $"{cells[2]}.{group}",
            StorageVersion = cells.Length > 7 ? "v1" : version,
            Schema = BuiltInSchemas.For(group, cells[1]),
        };
    }

    private static ImmutableArray<string> Words(string[] cells, int index) =>
        index < cells.Length ? [.. cells[index].Split(',', StringSplitOptions.RemoveEmptyEntries)] : [];
}
