using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Weft.Lab.ApiServer;

namespace Weft.Lab.Kubelet;

/// <summary>What the kubelet of a node serves: logs, exec and port-forward of its pods, as the API server's <see cref="NodeProxy"/> asks for them.</summary>
/// <remarks>HTTP/1.1 on a unix socket. Exec speaks <c>v5.channel.k8s.io</c>, port-forward SPDY inside a WebSocket: what kubectl asks for since
/// 1.30 and 1.31. Terminals, attach and the older SPDY exec are refused in words.</remarks>
internal sealed class KubeletServer : IAsyncDisposable
{
    private readonly KubeletContext _node;
    private readonly Func<string, string, PodWorker?> _find;
    private readonly WebApplication _web;

    /// <param name="node">Whose kubelet.</param>
    /// <param name="find">The running pod of a namespace and name, if there is one. Called from any thread.</param>
    public KubeletServer(KubeletContext node, Func<string, string, PodWorker?> find)
    {
        (_node, _find) = (node, find);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // Who follows a log may read slowly, and who has a shell may think.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            File.Delete(Socket(node));
            kestrel.ListenUnixSocket(Socket(node));
        });
        _web = builder.Build();
        _web.Run(AnswerAsync);
    }

    /// <summary>Where a node's kubelet listens.</summary>
    public static string Socket(KubeletContext node) => Path.Combine(node.Layout.NodeFolder(node.Node), "kubelet.sock");

    public Task StartAsync(CancellationToken ct) => _web.StartAsync(ct);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        try
        {
            await (http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
            {
                ["containerLogs", var ns, var pod, var container] => LogsAsync(http, Find(ns, pod), container),
                ["exec", var ns, var pod, var container] => ExecAsync(http, Running(Find(ns, pod), container)),
                ["portForward", var ns, var pod] => ForwardAsync(http, Find(ns, pod)),
                [var verb, ..] => throw new ApiException(501, "NotImplemented", $"the lab's kubelet does not serve '{verb}': it has logs, exec and port-forward"),
                _ => throw ApiException.NoSuchPath(),
            });
        }
        catch (ApiException refusal)
        {
            await Responses.WriteAsync(http, refusal);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            // Whoever asked went away in the middle.
            http.Abort();
        }
        catch (Exception e)
        {
            // The lab's own fault must not look like a pod's.
            _node.Log($"{http.Request.Method} {http.Request.Path}: {e}");
            await Responses.WriteAsync(http, new ApiException(500, "InternalError", e.Message));
        }
    }

    private PodWorker Find(string ns, string pod) =>
        _find(ns, pod) ?? throw new ApiException(404, "NotFound", $"the pod {ns}/{pod} does not run on node {_node.Node}");

    private static ContainerRun Running(PodWorker pod, string container) =>
        pod.Containers.FirstOrDefault(c => c.State is { Phase: "running" } state && state.Name == container)
            ?? throw ApiException.BadRequest($"the container {container} of pod {pod.Pod.Namespace}/{pod.Pod.Name} does not run");

    private Task LogsAsync(HttpContext http, PodWorker pod, string container)
    {
        var wanted = LogRequest.Read(http.Request.Query);
        http.Response.ContentType = "text/plain";
        return wanted.CopyAsync(
            _node.ContainerLog(pod.Pod, container), http.Response.Body,
            () => pod.Completion.IsCompleted || pod.Containers.Any(c => c.State is { Phase: "terminated" } state && state.Name == container), http.RequestAborted);
    }

    private static async Task ExecAsync(HttpContext http, ContainerRun container)
    {
        var query = http.Request.Query;
        if (query["tty"] == "true")
        {
            throw ApiException.BadRequest("the lab's kubelet has no terminals: leave -t away");
        }

        if (query["command"] is not { Count: > 0 } command)
        {
            throw ApiException.BadRequest("command: exec needs one");
        }

        using var socket = await AcceptAsync(http, ExecSession.Protocol);
        await ExecSession.RunAsync(socket, container.Command([.. command.Select(c => c ?? "")]), http.RequestAborted);
    }

    private async Task ForwardAsync(HttpContext http, PodWorker pod)
    {
        var sandbox = pod.Sandbox ?? throw ApiException.BadRequest($"the pod {pod.Pod.Namespace}/{pod.Pod.Name} has no network yet");
        using var socket = await AcceptAsync(http, "SPDY/3.1+portforward.k8s.io");
        await using var bytes = WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
        await new PortForwarding(sandbox.Netns, $"{pod.Pod.Namespace}/{pod.Pod.Name}", _node.Log).RunAsync(bytes, http.RequestAborted);
    }

    private static async Task<WebSocket> AcceptAsync(HttpContext http, string protocol) =>
        await WebSocketHandshake.TryAcceptAsync(http, protocol) ?? throw ApiException.BadRequest(
            $"the lab's kubelet needs a WebSocket of the protocol {protocol} here: use kubectl 1.31 or newer, and leave KUBECTL_REMOTE_COMMAND_WEBSOCKETS and KUBECTL_PORT_FORWARD_WEBSOCKETS unset");
}
