using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Weft.Lab.ApiServer;

/// <summary>Forwards log, exec, attach, port-forward and node proxy to the kubelet of the pod's node.</summary>
/// <remarks>Plain HTTP/1.1 to the node's InternalIP and its kubelet port (<c>status.daemonEndpoints</c>, 10250 when not given), or to the
/// unix socket in the node's annotation <c>lab.weft.dev/kubelet-socket</c>. Upgrades (SPDY, WebSocket) are passed through.</remarks>
public sealed class NodeProxy(ObjectStore store)
{
    public const string SocketAnnotation = "lab.weft.dev/kubelet-socket";

    public async Task PodAsync(ApiRequest request, StoredObject pod)
    {
        var tree = pod.ToTree();
        var container = request.Query("container") ?? tree.At("spec", "containers").Objects().FirstOrDefault().Text("name") ?? "";
        if (!tree.At("spec", "containers").Objects().Concat(tree.At("spec", "initContainers").Objects()).Any(c => c.Text("name") == container))
        {
            throw ApiException.BadRequest($"container {container} is not valid for pod {pod.Name}");
        }

        if (string.IsNullOrEmpty(pod.NodeName))
        {
            throw ApiException.BadRequest($"pod {pod.Name} does not have a host assigned");
        }

        var node = store.Find("nodes", "", pod.NodeName)
            ?? throw ApiException.BadRequest($"pod {pod.Name} is on node {pod.NodeName}, which does not exist");
        var path = request.Subresource switch
        {
            "log" => $"/containerLogs/{pod.Namespace}/{pod.Name}/{container}",
            "portforward" => $"/portForward/{pod.Namespace}/{pod.Name}",
            var verb => $"/{verb}/{pod.Namespace}/{pod.Name}/{container}",
        };

        // The kubelet's exec speaks of input, output, error where the API speaks of stdin, stdout, stderr.
        var query = request.Http.Request.QueryString.Value ?? "";
        if (request.Subresource is "exec" or "attach")
        {
            query = query.Replace("stdin=", "input=", StringComparison.Ordinal).Replace("stdout=", "output=", StringComparison.Ordinal).Replace("stderr=", "error=", StringComparison.Ordinal);
        }

        await ForwardAsync(request, node, path + query);
    }

    public Task NodeAsync(ApiRequest request, StoredObject node) =>
        ForwardAsync(request, node, $"/{request.Rest}{request.Http.Request.QueryString}");

    private static async Task ForwardAsync(ApiRequest request, StoredObject node, string target)
    {
        using var socket = await ConnectAsync(request, node);
        await using var kubelet = new NetworkStream(socket);
        var http = request.Http;
        var isUpgrade = http.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true;
        var head = new System.Text.StringBuilder($"{http.Request.Method} {target} HTTP/1.1\r\nHost: kubelet\r\n");
        foreach (var (name, values) in http.Request.Headers)
        {
            if (name is not ("Host" or "Authorization" or "Accept-Encoding") && !name.StartsWith(':') && (isUpgrade || name != "Connection"))
            {
                foreach (var value in values)
                {
                    head.Append($"{name}: {value}\r\n");
                }
            }
        }

        head.Append(isUpgrade ? "\r\n" : "Connection: close\r\n\r\n");
        await kubelet.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head.ToString()), request.Aborted);
        if (!isUpgrade)
        {
            await http.Request.Body.CopyToAsync(kubelet, request.Aborted);
        }

        var answer = await ResponseHead.ReadAsync(kubelet, request.Aborted);
        http.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            if (isUpgrade && answer.Status == 101 ? name is not "Connection" : name is not ("Connection" or "Transfer-Encoding" or "Content-Length"))
            {
                http.Response.Headers.Append(name, value);
            }
        }

        if (isUpgrade && answer.Status == 101)
        {
            await using var client = await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            await Task.WhenAny(client.CopyToAsync(kubelet, request.Aborted), CopyOutAsync(kubelet, client, request.Aborted));
            return;
        }

        await http.Response.StartAsync(request.Aborted);
        await using var body = answer.Body(kubelet);
        await CopyOutAsync(body, http.Response.Body, request.Aborted);
    }

    /// <summary>What arrives goes out at once: logs are followed.</summary>
    private static async Task CopyOutAsync(Stream from, Stream to, CancellationToken stop)
    {
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await from.ReadAsync(buffer, stop)) > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), stop);
            await to.FlushAsync(stop);
        }
    }

    private static async Task<Socket> ConnectAsync(ApiRequest request, StoredObject node)
    {
        var tree = node.ToTree();
        var path = tree.At("metadata", "annotations").Text(SocketAnnotation);
        var address = tree.At("status", "addresses").Objects().FirstOrDefault(a => a.Text("type") == "InternalIP").Text("address");
        var port = (int)(tree.Integer("status", "daemonEndpoints", "kubeletEndpoint", "Port") ?? 10250);
        var socket = path is null ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            if (path is not null)
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
            }
            else
            {
                await socket.ConnectAsync(address ?? throw new SocketException((int)SocketError.HostNotFound), port, limit.Token);
            }

            return socket;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !request.Aborted.IsCancellationRequested))
        {
            socket.Dispose();
            throw new ApiException(503, "ServiceUnavailable",
                $"the kubelet of node {node.Name} does not answer at {path ?? $"{address}:{port}"}: {e.Message}",
                new JsonObject { ["name"] = node.Name, ["kind"] = "nodes" });
        }
    }
}
