using System.Net;
using Weft.Kubernetes;
using Weft.Lab.ApiServer;

namespace Weft.TestSupport;

/// <summary>The lab's API server in this process, over HTTPS as a cluster's own: versions, conflicts, patches and reviews are real.</summary>
public sealed class LabApi : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weft-api-");
    private readonly ApiServerHost _host;

    private LabApi(Func<ApiServerOptions, ApiServerOptions>? configure)
    {
        var options = new ApiServerOptions { StateDirectory = _folder.FullName, Listen = new IPEndPoint(IPAddress.Loopback, 0), Journal = false };
        _host = new ApiServerHost(configure?.Invoke(options) ?? options);
    }

    /// <summary>A kubeconfig with all rights.</summary>
    public string Kubeconfig => _host.KubeconfigPath;

    /// <summary>A client with all rights.</summary>
    public KubernetesClient Client { get; private set; } = null!;

    /// <summary>Starts a server on a free port.</summary>
    public static async Task<LabApi> StartAsync(Func<ApiServerOptions, ApiServerOptions>? configure = null)
    {
        var api = new LabApi(configure);
        await api._host.StartAsync(CancellationToken.None);
        api.Client = new KubernetesClient(ClusterConnection.Load(api.Kubeconfig));
        await Eventually.True("the default namespace", async () => await api.Client.ReadAsync(Resources.Namespaces, null, "default", default) is not null);
        return api;
    }

    /// <summary>Creates a namespace.</summary>
    public Task CreateNamespaceAsync(string name) =>
        Client.CreateAsync(Resources.Namespaces, null, new V1Namespace { Metadata = new V1ObjectMeta { Name = name } }, default);

    /// <summary>Creates a pod that no node runs.</summary>
    public Task<V1Pod> CreatePodAsync(string ns, string name) => ApplyAsync(Resources.Pods, ns, name,
        $$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{name}}"},"spec":{"containers":[{"name":"c","image":"busybox"}]} }""");

    /// <summary>Server-side apply of a manifest, in which Weft's own types lack most fields.</summary>
    public Task<T> ApplyAsync<T>(ResourceType<T> type, string? ns, string name, string manifest)
        where T : class, IKubernetesObject =>
        Client.PatchAsync(type, ns, name, null, PatchKind.Apply, System.Text.Encoding.UTF8.GetBytes(manifest), default);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await _host.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
