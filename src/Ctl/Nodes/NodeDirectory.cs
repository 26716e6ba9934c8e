using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Ctl.Clusters;
using Weft.Ctl.Output;

namespace Weft.Ctl.Nodes;

/// <summary>The cluster's nodes and pods, each node read once when it is first asked for.</summary>
public sealed class NodeDirectory
{
    private readonly ICluster _cluster;
    private readonly ConcurrentDictionary<string, Task<NodeView>> _views = new(StringComparer.Ordinal);

    private NodeDirectory(ICluster cluster, IReadOnlyList<PodInfo> pods, IReadOnlyList<JsonObject> nodes, IReadOnlyList<JsonObject> services) =>
        (_cluster, Pods, Nodes, Services) = (cluster, pods, nodes, services);

    /// <summary>The pods that are bound to nodes.</summary>
    public IReadOnlyList<PodInfo> Pods { get; }

    /// <summary>The Node objects.</summary>
    public IReadOnlyList<JsonObject> Nodes { get; }

    /// <summary>The Service objects.</summary>
    public IReadOnlyList<JsonObject> Services { get; }

    /// <summary>Names of the nodes, sorted.</summary>
    public IEnumerable<string> NodeNames => Nodes.Select(n => (string)n["metadata"]!["name"]!).Order(StringComparer.Ordinal);

    /// <summary>Reads the API's part.</summary>
    public static async Task<NodeDirectory> LoadAsync(ICluster cluster, CancellationToken ct)
    {
        var pods = cluster.GetAsync("/api/v1/pods", ct);
        var nodes = cluster.GetAsync("/api/v1/nodes", ct);
        var services = cluster.GetAsync("/api/v1/services", ct);
        return new NodeDirectory(
            cluster,
            [.. Items(await pods.ConfigureAwait(false)).Select(PodInfo.Read).Where(p => p.Node.Length > 0)],
            Items(await nodes.ConfigureAwait(false)),
            Items(await services.ConfigureAwait(false)));
    }

    /// <summary>What a node has.</summary>
    public Task<NodeView> ViewAsync(string node, CancellationToken ct) => _views.GetOrAdd(node, n => NodeView.LoadAsync(_cluster, n, ct));

    /// <summary>A pod by <c>namespace/name</c>; a name alone is in <c>default</c>.</summary>
    /// <exception cref="CtlException">There is none, or it runs nowhere.</exception>
    public PodInfo Pod(string text)
    {
        var id = text.Contains('/', StringComparison.Ordinal) ? text : $"default/{text}";
        return Pods.FirstOrDefault(p => p.Id == id) ?? throw new CtlException(
            $"no pod {id} runs on any node{Suggestion.Ending(text, Pods.Select(p => p.Id), ": see 'kubectl get pods -A -o wide'")}");
    }

    /// <summary>The name of a node, when there is one of this name.</summary>
    /// <exception cref="CtlException">There is none.</exception>
    public string Node(string name) => NodeNames.Contains(name, StringComparer.Ordinal) ? name
        : throw new CtlException($"there is no node '{name}'{Suggestion.Ending(name, NodeNames, $": there are {string.Join(", ", NodeNames.Take(10))}")}");

    /// <summary>The node with this address, or null.</summary>
    public string? NodeWithAddress(string address) => Nodes.Where(n => n["status"]?["addresses"] is JsonArray list && list.Any(a => (string?)a!["address"] == address))
        .Select(n => (string)n["metadata"]!["name"]!).FirstOrDefault();

    private static List<JsonObject> Items(JsonObject list) => [.. list["items"]!.AsArray().OfType<JsonObject>()];
}
