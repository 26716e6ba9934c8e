using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>The Kubernetes REST protocol with untyped objects: the lab passes on what it does not know.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
public sealed class ClusterApi : IDisposable
{
    /// <summary>RFC 7386; lists are replaced whole, which is right for fields that have one writer.</summary>
    public const string MergePatch = "application/merge-patch+json";

    private readonly HttpClient _client;

    /// <summary>Takes a client whose base address is the API server and that authenticates itself.</summary>
    public ClusterApi(HttpClient client) => _client = client;

    /// <summary>Talks to the lab's API server over its socket.</summary>
    public static ClusterApi OverSocket(string path) => new(new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, ct) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        // A read list must not wait for a connection that a watch holds.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    })
    {
        BaseAddress = new Uri("http://localhost"),
        Timeout = Timeout.InfiniteTimeSpan,
    });

    /// <summary>Reads an object or list; null when it does not exist.</summary>
    public async Task<JsonObject?> FindAsync(string path, CancellationToken ct)
    {
        using var response = await SendAsync(HttpMethod.Get, path, body: null, contentType: "", ct);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(response, ct);
    }

    /// <summary>Reads an object or list.</summary>
    /// <exception cref="ClusterApiException">It does not exist, or the server refused.</exception>
    public async Task<JsonObject> GetAsync(string path, CancellationToken ct) =>
        await ReadAsync(await SendAsync(HttpMethod.Get, path, body: null, contentType: "", ct), ct);

    /// <summary>Creates an object under a collection.</summary>
    /// <exception cref="ClusterApiException">The server refused; <c>409</c> when it exists.</exception>
    public async Task<JsonObject> CreateAsync(string path, JsonObject body, CancellationToken ct) =>
        await ReadAsync(await SendAsync(HttpMethod.Post, path, body, "application/json", ct), ct);

    /// <summary>Creates an object unless it exists.</summary>
    public async Task EnsureAsync(string path, JsonObject body, CancellationToken ct)
    {
        try
        {
            await CreateAsync(path, body, ct);
        }
        catch (ClusterApiException e) when (e.Status == HttpStatusCode.Conflict)
        {
            // It is there already.
        }
    }

    /// <summary>Patches an object or subresource; null when it does not exist (any more).</summary>
    public async Task<JsonObject?> PatchAsync(string path, JsonObject body, CancellationToken ct, string contentType = MergePatch)
    {
        using var response = await SendAsync(HttpMethod.Patch, path, body, contentType, ct);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(response, ct);
    }

    /// <summary>Deletes an object; one that is gone is no error.</summary>
    public async Task DeleteAsync(string path, CancellationToken ct, JsonObject? options = null)
    {
        using var response = await SendAsync(HttpMethod.Delete, path, options, "application/json", ct);
        if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Conflict))
        {
            await ReadAsync(response, ct);
        }
    }

    /// <summary>Lists, then watches for ever; lists again when the server no longer has the history or the connection ends.</summary>
    /// <param name="collection">For example <c>/api/v1/pods</c>.</param>
    /// <param name="query">For example <c>fieldSelector=spec.nodeName=node1</c>.</param>
    /// <returns>A snapshot at first and after every interruption, changes in between.</returns>
    public async IAsyncEnumerable<WatchStep> FollowAsync(
        string collection, string query, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            JsonObject? list = null;
            try
            {
                list = await GetAsync($"{collection}?{query}", ct);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ClusterApiException)
            {
                // The server is away (restarting): keep what we know and try again.
                await Task.Delay(200, ct);
            }

            if (list is null)
            {
                continue;
            }

            yield return new WatchStep("LIST", null, [.. list["items"]!.AsArray().Select(i => i!.AsObject())]);
            var revision = (string)list["metadata"]!["resourceVersion"]!;
            await foreach (var (type, item) in WatchAsync($"{collection}?{query}&watch=true&resourceVersion={revision}", ct))
            {
                yield return new WatchStep(type, item, []);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async IAsyncEnumerable<(string Type, JsonObject Object)> WatchAsync(
        string path, [EnumeratorCancellation] CancellationToken ct)
    {
        StreamReader? reader = null;
        try
        {
            while (true)
            {
                JsonObject? line;
                try
                {
                    reader ??= await OpenAsync(path, ct);
                    var text = await reader.ReadLineAsync(ct);
                    line = text is null ? null : JsonNode.Parse(text)!.AsObject();
                }
                catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
                {
                    line = null;
                }

                // "ERROR" says that the history is gone: the caller lists again.
                if (line is null || (string)line["type"]! is "ERROR" or "BOOKMARK")
                {
                    if (line is null || (string)line["type"]! == "ERROR")
                    {
                        yield break;
                    }

                    continue;
                }

                yield return ((string)line["type"]!, line["object"]!.AsObject());
            }
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private async Task<StreamReader> OpenAsync(string path, CancellationToken ct)
    {
        var response = await _client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, ct);
        response.EnsureSuccessStatusCode();
        return new StreamReader(await response.Content.ReadAsStreamAsync(ct));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, JsonObject? body, string contentType, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, contentType);
        }

        return await _client.SendAsync(request, ct);
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(ct);
            if (!response.IsSuccessStatusCode)
            {
                throw new ClusterApiException(response.StatusCode, $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.PathAndQuery}: {text}");
            }

            return JsonNode.Parse(text)!.AsObject();
        }
    }
}

/// <summary>A step of <see cref="ClusterApi.FollowAsync"/>.</summary>
/// <param name="Type"><c>LIST</c>, <c>ADDED</c>, <c>MODIFIED</c> or <c>DELETED</c>.</param>
/// <param name="Object">What changed; null for <c>LIST</c>.</param>
/// <param name="All">Everything there is, for <c>LIST</c>.</param>
public sealed record WatchStep(string Type, JsonObject? Object, IReadOnlyList<JsonObject> All);

/// <summary>The API server refused a request.</summary>
public sealed class ClusterApiException(HttpStatusCode status, string message) : Exception($"{(int)status} {message}")
{
    public HttpStatusCode Status { get; } = status;
}
