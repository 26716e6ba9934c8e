using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Ctl.Output;

namespace Weft.Ctl.Clusters;

/// <summary>A lab of this machine (docs/design/lab.md): its API by its unix socket, its nodes by their network namespaces. Needs root.</summary>
internal sealed class LabAccess : ICluster
{
    private const string Root = "/run/weft-lab";
    private readonly string _name;
    private readonly HttpClient _http;

    public LabAccess(string name)
    {
        _name = name;
        if (!Exists(name))
        {
            var labs = Directory.Exists(Root) ? Directory.EnumerateDirectories(Root).Select(d => Path.GetFileName(d)).Where(Exists) : [];
            throw new CtlException(
                $"there is no lab '{name}'{Suggestion.Ending(name, labs, ": start one with scripts/lab up, or give --kubeconfig for a real cluster")}");
        }

        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Root, name, "api/api.sock")), ct).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://lab"),
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    /// <inheritdoc/>
    public string Name => $"lab {_name}";

    /// <inheritdoc/>
    public string SystemNamespace => "weft-system";

    /// <summary>Whether a lab of this name is up.</summary>
    public static bool Exists(string name) => File.Exists(Path.Combine(Root, name, "lab.json"));

    /// <inheritdoc/>
    public async Task<JsonObject> GetAsync(string path, CancellationToken ct)
    {
        try
        {
            using var response = await _http.GetAsync(path, ct).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(ct).ConfigureAwait(false);
            var json = JsonNode.Parse(text)!.AsObject();
            return response.IsSuccessStatusCode ? json : throw new CtlException($"{Name}: {(string?)json["message"] ?? text}");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new CtlException($"the API server of {Name} does not answer: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public Task<CommandResult> RunAsync(string node, IReadOnlyList<string> command, TimeSpan limit, CancellationToken ct) =>
        Programs.RunAsync(OnNode(node, command), limit, ct);

    /// <inheritdoc/>
    public Task<CommandResult> StreamAsync(string node, IReadOnlyList<string> command, Stream output, CancellationToken ct) =>
        Programs.StreamAsync(OnNode(node, command), output, ct);

    /// <inheritdoc/>
    public string StateFile(string node) => Path.Combine(Root, _name, node, "state/node-state.ndjson");

    /// <inheritdoc/>
    public async Task<string> LogAsync(string? node, int lines, CancellationToken ct)
    {
        var file = Path.Combine(Root, _name, node is null ? "controller.log" : $"{node}/agent.log");
        return (await Programs.RunAsync(["tail", "-n", $"{lines}", file], TimeSpan.FromSeconds(10), ct).ConfigureAwait(false)).Output;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private string[] OnNode(string node, IReadOnlyList<string> command)
    {
        var ovs = Path.Combine(Root, _name, node, "ovs");
        return Directory.Exists(ovs)
            ? ["ip", "netns", "exec", $"{_name}-{node}", "env", $"OVS_RUNDIR={ovs}", $"OVS_DBDIR={ovs}", .. command]
            : throw new CtlException($"{Name} has no node '{node}'");
    }
}
