using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Weft.Agent.Facts;
using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Ctl.Clusters;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Ctl.Policies;

/// <summary>The policies of the cluster's API as the controller compiles them: what every node ought to have now, for the default network.</summary>
/// <remarks>The controller's own code, run here on what the API server has at this moment: what a controller or an agent has not heard of yet shows as a difference.</remarks>
internal sealed class LivePolicies
{
    private const string Group = "policy.networking.k8s.io";

    private readonly LogicalNetwork _network = new(new ClusterSettings { Id = ClusterSettings.TheId });
    private readonly Dictionary<string, string> _podByAddress = new(StringComparer.Ordinal);

    private LivePolicies()
    {
    }

    /// <summary>Rules that cannot be used.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Reads and compiles.</summary>
    /// <exception cref="CtlException">The API refuses or does not answer.</exception>
    public static async Task<LivePolicies> LoadAsync(ICluster cluster, CancellationToken ct)
    {
        var live = new LivePolicies();
        await live.TakeAsync(cluster, "/api/v1/nodes", KubernetesJson.Default.V1Node, live._network.Upsert, ct).ConfigureAwait(false);
        await live.TakeAsync(cluster, "/api/v1/namespaces", KubernetesJson.Default.V1Namespace, live._network.Upsert, ct).ConfigureAwait(false);
        await live.TakeAsync(cluster, "/api/v1/pods", KubernetesJson.Default.V1Pod, live.Take, ct).ConfigureAwait(false);
        await live.TakePoliciesAsync(cluster, "/apis/networking.k8s.io/v1/networkpolicies", KubernetesJson.Default.V1NetworkPolicy, live._network.Upsert, ct).ConfigureAwait(false);
        var kinds = await KindsAsync(cluster, ct).ConfigureAwait(false);
        if (kinds.Contains("v1alpha2/clusternetworkpolicies"))
        {
            await live.TakePoliciesAsync(cluster, $"/apis/{Group}/v1alpha2/clusternetworkpolicies", KubernetesJson.Default.V1Alpha2ClusterNetworkPolicy, live._network.Upsert, ct).ConfigureAwait(false);
        }

        if (kinds.Contains("v1alpha1/adminnetworkpolicies"))
        {
            await live.TakePoliciesAsync(cluster, $"/apis/{Group}/v1alpha1/adminnetworkpolicies", KubernetesJson.Default.V1Alpha1AdminNetworkPolicy, live._network.Upsert, ct).ConfigureAwait(false);
        }

        if (kinds.Contains("v1alpha1/baselineadminnetworkpolicies"))
        {
            await live.TakePoliciesAsync(cluster, $"/apis/{Group}/v1alpha1/baselineadminnetworkpolicies", KubernetesJson.Default.V1Alpha1BaselineAdminNetworkPolicy, live._network.Upsert, ct).ConfigureAwait(false);
        }

        live._network.Commit();
        return live;
    }

    /// <summary>What a node ought to have.</summary>
    public Slice SliceOf(string node) =>
        new() { Epoch = "now", Revision = 1, Items = _network.Snapshot(node).ToImmutableDictionary(ItemRef.Of) };

    /// <summary>The running pod with this address, or null.</summary>
    public string? PodWith(string address) => _podByAddress.GetValueOrDefault(address);

    /// <summary>The cluster-wide kinds that this cluster has, as <c>version/plural</c>.</summary>
    private static async Task<HashSet<string>> KindsAsync(ICluster cluster, CancellationToken ct)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var groups = await cluster.GetAsync("/apis", ct).ConfigureAwait(false);
        var group = groups["groups"]!.AsArray().FirstOrDefault(g => (string?)g!["name"] == Group);
        foreach (var version in group?["versions"]?.AsArray().Select(v => (string)v!["version"]!) ?? [])
        {
            var resources = await cluster.GetAsync($"/apis/{Group}/{version}", ct).ConfigureAwait(false);
            found.UnionWith(resources["resources"]!.AsArray().Select(r => $"{version}/{r!["name"]}"));
        }

        return found;
    }

    private async Task TakeAsync<T>(ICluster cluster, string path, JsonTypeInfo<T> type, Action<T> take, CancellationToken ct)
    {
        var list = await cluster.GetAsync(path, ct).ConfigureAwait(false);
        foreach (var item in list["items"]!.AsArray().OfType<JsonObject>())
        {
            take(item.Deserialize(type)!);
        }
    }

    private Task TakePoliciesAsync<T>(ICluster cluster, string path, JsonTypeInfo<T> type, Func<T, IReadOnlyList<string>> take, CancellationToken ct)
        where T : IKubernetesObject => TakeAsync(cluster, path, type, policy =>
    {
        var name = policy.Metadata.NamespaceProperty is { } ns ? $"{ns}/{policy.Metadata.Name}" : policy.Metadata.Name;
        try
        {
            Problems.AddRange(take(policy).Select(p => $"{typeof(T).Name} {name}: {p}"));
        }
        catch (InvalidObjectException e)
        {
            Problems.Add($"{name}: {e.Message}; it is not in force");
        }
    }, ct);

    /// <summary>A tenant's pod is no peer here: what Kubernetes shows of it is its alias.</summary>
    private void Take(V1Pod pod)
    {
        if (pod.Metadata.Annotations?.ContainsKey(AddressClaim.Annotation) == true)
        {
            return;
        }

        _network.Upsert(pod);
        if (pod.Spec?.HostNetwork != true && pod.Status?.Phase is not ("Succeeded" or "Failed"))
        {
            foreach (var address in pod.Status?.PodIPs ?? [])
            {
                _podByAddress[address.Ip ?? ""] = $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
            }
        }
    }
}
