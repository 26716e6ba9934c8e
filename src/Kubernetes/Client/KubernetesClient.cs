using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text.Json;

namespace Weft.Kubernetes;

/// <summary>The Kubernetes API over HTTP/2 (HTTP/1.1 where the server has no more). Safe to use from any thread.</summary>
/// <remarks>Every method throws <see cref="KubernetesException"/> when the API server refuses or cannot be reached;
/// nothing is retried here except by <see cref="Reflector{T}"/>.</remarks>
public sealed class KubernetesClient : IDisposable
{
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly ClusterConnection _connection;

    /// <summary>Prepares a client; nothing is sent yet.</summary>
    public KubernetesClient(ClusterConnection connection)
    {
        _connection = connection;
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(10),
            EnableMultipleHttp2Connections = true,
            // A watch is silent for long: pings find out that the other end is gone.
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            AutomaticDecompression = DecompressionMethods.GZip,
            UseProxy = false,
        };
        handler.SslOptions.TargetHost = connection.TlsServerName;
        if (connection.SkipTlsVerification)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        }
        else if (connection.Authorities is { } authorities)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => authorities.Accepts(certificate, chain, errors);
        }

        if (connection.ClientCertificate is { } own)
        {
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        }
        else if (connection.Token is ExecTokenSource given)
        {
            // Its certificate may be another one tomorrow: new requests go over connections that are not older than this.
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => given.Certificate!;
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        }

        _http = new HttpClient(handler)
        {
            BaseAddress = new Uri(connection.Server.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("weft", "0.1"));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>The namespace of the connection.</summary>
    public string Namespace => _connection.Namespace;

    /// <summary>Reads one object; null when it does not exist.</summary>
    public async Task<T?> ReadAsync<T>(ResourceType<T> type, string? ns, string name, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        try
        {
            return await SendAsync(HttpMethod.Get, type.ObjectPath(ns, name), null, type, ct).ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Reads all objects of a kind, page by page; one that cannot be read makes the whole call fail.</summary>
    /// <param name="type">The kind.</param>
    /// <param name="ns">Only this namespace; null: all.</param>
    /// <param name="labelSelector">Only these, for example <c>app=web</c>; null: all.</param>
    /// <param name="ct">Stops.</param>
    public async Task<IReadOnlyList<T>> ListAsync<T>(ResourceType<T> type, string? ns, string? labelSelector, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var found = new List<T>();
        var page = new List<ResourceEvent<T>>();
        var query = $"?limit={Reflector<T>.PageSize}" + (labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}");
        string? continueAt = null;
        do
        {
            page.Clear();
            var path = type.CollectionPath(ns) + query + (continueAt is null ? "" : $"&continue={Uri.EscapeDataString(continueAt)}");
            var body = await ReadBodyAsync(HttpMethod.Get, path, null, ct).ConfigureAwait(false);
            continueAt = Parse(path, () => ObjectReader.ReadList(body, type, page)).Continue;
            foreach (var item in page)
            {
                found.Add(item.Object ?? throw new KubernetesException($"{path}: {item.Key} cannot be read: {item.Problem}"));
            }
        }
        while (!string.IsNullOrEmpty(continueAt));

        return found;
    }

    /// <summary>Creates an object and returns it as stored.</summary>
    public Task<T> CreateAsync<T>(ResourceType<T> type, string? ns, T value, CancellationToken ct)
        where T : class, IKubernetesObject => SendAsync(HttpMethod.Post, type.CollectionPath(ns), Json(type, value, "application/json"), type, ct);

    /// <summary>Replaces an object; its <c>resourceVersion</c> must be the stored one (409 otherwise).</summary>
    public Task<T> ReplaceAsync<T>(ResourceType<T> type, string? ns, T value, CancellationToken ct)
        where T : class, IKubernetesObject =>
        SendAsync(HttpMethod.Put, type.ObjectPath(ns, value.Metadata.Name!), Json(type, value, "application/json"), type, ct);

    /// <summary>Deletes an object. One that does not exist is no error.</summary>
    public async Task DeleteAsync<T>(ResourceType<T> type, string? ns, string name, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        try
        {
            using var response = await SendAsync(HttpMethod.Delete, type.ObjectPath(ns, name), null, HttpCompletionOption.ResponseContentRead, ct)
                .ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // Already so.
        }
    }

    /// <summary>Changes parts of an object, or of its subresource (<c>status</c>), and returns it as stored.</summary>
    /// <param name="patch">JSON in the form that <paramref name="kind"/> says.</param>
    public Task<T> PatchAsync<T>(ResourceType<T> type, string? ns, string name, string? subresource, PatchKind kind, ReadOnlyMemory<byte> patch, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var content = new ReadOnlyMemoryContent(patch);
        content.Headers.ContentType = new MediaTypeHeaderValue(kind.MediaType());
        var query = kind == PatchKind.Apply ? "?fieldManager=weft&force=true" : "";
        return SendAsync(HttpMethod.Patch, type.ObjectPath(ns, name, subresource) + query, content, type, ct);
    }

    /// <summary>Opens a request whose answer is read as it comes (lists, watches).</summary>
    /// <exception cref="KubernetesException">The answer is an error.</exception>
    internal Task<HttpResponseMessage> OpenAsync(string path, CancellationToken ct) =>
        SendAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseHeadersRead, ct);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Json<T>(ResourceType<T> type, T value, string mediaType)
        where T : class, IKubernetesObject
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type.Json));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, ResourceType<T> type, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var body = await ReadBodyAsync(method, path, content, ct).ConfigureAwait(false);
        return Parse(path, () => JsonSerializer.Deserialize(body, type.Json)) ?? throw new KubernetesException($"{path}: the API server answered 'null'");
    }

    private static T Parse<T>(string path, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (JsonException e)
        {
            throw new KubernetesException($"{path}: the answer cannot be read: {e.Message}", e);
        }
    }

    private async Task<byte[]> ReadBodyAsync(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(RequestLimit);
        try
        {
            using var response = await SendAsync(method, path, content, HttpCompletionOption.ResponseContentRead, limit.Token).ConfigureAwait(false);
            return await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new KubernetesException($"{method} {path}: no answer within {RequestLimit.TotalSeconds:0} s", e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, HttpCompletionOption completion, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path.TrimStart('/')) { Content = content };
        if (await _connection.Token.GetAsync(ct).ConfigureAwait(false) is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, completion, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KubernetesException($"{method} {_connection.Server.Authority}{path}: {e.Message}", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await ErrorAsync(method, path, response, ct).ConfigureAwait(false);
        }
    }

    private static async Task<KubernetesException> ErrorAsync(HttpMethod method, string path, HttpResponseMessage response, CancellationToken ct)
    {
        V1Status? status = null;
        var text = "";
        try
        {
            text = await response.Content.ReadAsStringAsync(ct).ConfigureAwait(false);
            status = JsonSerializer.Deserialize(text, KubernetesJson.Default.V1Status);
        }
        catch (Exception e) when (e is JsonException or IOException or HttpRequestException)
        {
            // Proxies answer with pages; the status code still says enough.
        }

        var retryAfter = response.Headers.RetryAfter?.Delta
            ?? (status?.Details?.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        var said = status?.Message ?? (text.Length > 200 ? text[..200] : text).Trim();
        return new KubernetesException($"{method} {path}: {(int)response.StatusCode} {response.ReasonPhrase}: {said}")
        {
            StatusCode = response.StatusCode,
            Reason = status?.Reason,
            RetryAfter = retryAfter,
        };
    }
}
