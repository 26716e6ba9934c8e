using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Ctl.Clusters;

/// <summary>A real cluster, by kubectl: whatever kubeconfig works there works here. Nodes are reached through their agent's pod.</summary>
/// <param name="kubeconfig">A kubeconfig file, or null for kubectl's own choice.</param>
/// <param name="context">A context of it, or null.</param>
/// <param name="systemNamespace">Where Weft is installed.</param>
internal sealed class KubectlAccess(string? kubeconfig, string? context, string systemNamespace) : ICluster
{
    private const string Container = "agent";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, string> _agents = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => kubeconfig is null ? "the cluster" : $"the cluster of {kubeconfig}";

    /// <inheritdoc/>
    public string SystemNamespace => systemNamespace;

    /// <inheritdoc/>
    public async Task<JsonObject> GetAsync(string path, CancellationToken ct)
    {
        var result = await Programs.RunAsync(Kubectl("get", "--raw", path), Limit, ct).ConfigureAwait(false);
        try
        {
            return result.ExitCode == 0
                ? JsonNode.Parse(result.Output)!.AsObject()
                : throw new CtlException($"{Name}: {result.Error.Trim()}");
        }
        catch (JsonException e)
        {
            throw new CtlException($"{Name} answered {path} with something else than JSON: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public async Task<CommandResult> RunAsync(string node, IReadOnlyList<string> command, TimeSpan limit, CancellationToken ct) =>
        await Programs.RunAsync(await ExecAsync(node, command, ct).ConfigureAwait(false), limit, ct).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<CommandResult> StreamAsync(string node, IReadOnlyList<string> command, Stream output, CancellationToken ct) =>
        await Programs.StreamAsync(await ExecAsync(node, command, ct).ConfigureAwait(false), output, ct).ConfigureAwait(false);

    /// <inheritdoc/>
    public string StateFile(string node) => "/var/lib/weft/node-state.ndjson";

    /// <inheritdoc/>
    public async Task<string> LogAsync(string? node, int lines, CancellationToken ct)
    {
        var target = node is null ? "deployment/weft-controller" : await AgentAsync(node, ct).ConfigureAwait(false);
        return (await Programs.RunAsync(Kubectl("-n", systemNamespace, "logs", target, $"--tail={lines}"), Limit, ct).ConfigureAwait(false)).Output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held between calls.
    }

    private async Task<string[]> ExecAsync(string node, IReadOnlyList<string> command, CancellationToken ct) =>
        Kubectl(["-n", systemNamespace, "exec", await AgentAsync(node, ct).ConfigureAwait(false), "-c", Container, "--", .. command]);

    private async Task<string> AgentAsync(string node, CancellationToken ct)
    {
        if (_agents.TryGetValue(node, out var known))
        {
            return known;
        }

        var path = $"/api/v1/namespaces/{systemNamespace}/pods?labelSelector=app.kubernetes.io/name%3Dweft-agent&fieldSelector=spec.nodeName%3D{node}";
        var pods = (await GetAsync(path, ct).ConfigureAwait(false))["items"]!.AsArray();
        var running = pods.FirstOrDefault(p => (string?)p!["status"]?["phase"] == "Running")
            ?? throw new CtlException($"no agent runs on {node}: see 'kubectl -n {systemNamespace} get pods -o wide'");
        return _agents[node] = "pod/" + (string)running["metadata"]!["name"]!;
    }

    private string[] Kubectl(params string[] arguments) =>
    [
        "kubectl", .. kubeconfig is null ? [] : (string[])[$"--kubeconfig={kubeconfig}"], .. context is null ? [] : (string[])[$"--context={context}"], .. arguments,
    ];
}
