using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Weft.Lab.ApiServer;

/// <summary>APIs that other servers answer: an APIService names the group and version and the Service behind it.</summary>
/// <remarks>The address is, in this order: the APIService's annotation <c>lab.weft.dev/address</c> (host:port), the Service's externalName,
/// a ready address of its EndpointSlices, its ClusterIP. The user goes along in the X-Remote-* headers, under our front-proxy
/// certificate.</remarks>
public sealed class AggregatedApis(ObjectStore store, X509Certificate2 frontProxy)
{
    public const string AddressAnnotation = "lab.weft.dev/address";

    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Authorization",
    };

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        SslOptions =
        {
            LocalCertificateSelectionCallback = (_, _, _, _, _) => frontProxy,

            // caBundle and insecureSkipTLSVerify are not told apart: in the lab both ends are on this machine.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        },
    });

    /// <summary>Group and version of every API that is served elsewhere.</summary>
    public IEnumerable<(string Group, string Version)> Versions => Remote().Select(s => (s.Text("spec", "group") ?? "", s.Text("spec", "version") ?? ""));

    /// <summary>The resources of an API that is served elsewhere, in the form of aggregated discovery; null when it is served here.</summary>
    /// <remarks>Read from what <see cref="RefreshAsync"/> found last.</remarks>
    public JsonArray? Resources(string group, string version) => _resources.GetValueOrDefault((group, version));

    private volatile Dictionary<(string, string), JsonArray> _resources = [];

    /// <summary>Sends the request on if its group and version are served elsewhere.</summary>
    /// <exception cref="ApiException">503: the server behind does not answer.</exception>
    public async Task<bool> TryProxyAsync(ApiRequest request)
    {
        var parts = (request.Http.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not ["apis", var group, var version, ..] || Find(group, version) is not { } service)
        {
            return false;
        }

        var address = Address(service) ?? throw Unavailable(service, "its Service has no address");
        using var message = Message(request, address);
        HttpResponseMessage answer;
        try
        {
            answer = await _client.SendAsync(message, request.Aborted);
        }
        catch (HttpRequestException e)
        {
            throw Unavailable(service, e.Message);
        }

        using (answer)
        {
            await CopyAsync(answer, request.Http);
        }

        return true;
    }

    /// <summary>Asks each server for its resources, so that aggregated discovery can name them, and says who answered.</summary>
    public async Task<IReadOnlyDictionary<string, string?>> RefreshAsync(CancellationToken stop)
    {
        var found = new Dictionary<(string, string), JsonArray>();
        var errors = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var service in Remote())
        {
            var (group, version) = (service.Text("spec", "group") ?? "", service.Text("spec", "version") ?? "");
            try
            {
                var address = Address(service) ?? throw new HttpRequestException("its Service has no address");
                using var message = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/apis/{group}/{version}");
                Identify(message, new UserInfo("system:aggregator", [UserInfo.Masters]));
                using var answer = await _client.SendAsync(message, stop);
                answer.EnsureSuccessStatusCode();
                found[(group, version)] = Convert(group, version, Json.ParseObject(await answer.Content.ReadAsByteArrayAsync(stop)));
                errors[service.Text("metadata", "name")!] = null;
            }
            catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException)
            {
                found[(group, version)] = [];
                errors[service.Text("metadata", "name")!] = e.Message;
            }
        }

        _resources = found;
        return errors;
    }

    private static JsonArray Convert(string group, string version, JsonObject list)
    {
        var all = list["resources"].Objects().ToList();
        return all.Where(r => !r.Text("name")!.Contains('/')).Select(r => (JsonNode?)new JsonObject
        {
            ["resource"] = r.Text("name"),
            ["responseKind"] = new JsonObject { ["group"] = r.Text("group") ?? group, ["version"] = r.Text("version") ?? version, ["kind"] = r.Text("kind") },
            ["scope"] = r.Flag("namespaced") ? "Namespaced" : "Cluster",
            ["singularResource"] = r.Text("singularName") ?? "",
            ["verbs"] = r["verbs"].Texts().ToJson(),
            ["shortNames"] = r["shortNames"].Texts().ToJson(),
            ["categories"] = r["categories"].Texts().ToJson(),
        }).ToJson();
    }

    private IEnumerable<JsonObject> Remote() => store.Snapshot("apiservices.apiregistration.k8s.io").Items
        .Select(i => i.ToTree()).Where(t => t.At("spec", "service") is JsonObject);

    private JsonObject? Find(string group, string version) =>
        store.Find("apiservices.apiregistration.k8s.io", "", $"{version}.{group}")?.ToTree() is { } tree && tree.At("spec", "service") is JsonObject ? tree : null;

    private string? Address(JsonObject service)
    {
        if (service.At("metadata", "annotations").Text(AddressAnnotation) is { } given)
        {
            return given;
        }

        var (ns, name) = (service.Text("spec", "service", "namespace") ?? "", service.Text("spec", "service", "name") ?? "");
        var port = service.Integer("spec", "service", "port") ?? 443;
        if (store.Find("services", ns, name)?.ToTree() is not { } target)
        {
            return null;
        }

        if (target.Text("spec", "externalName") is { } external)
        {
            return $"{external}:{port}";
        }

        foreach (var slice in store.Snapshot("endpointslices.discovery.k8s.io", ns).Items.Where(s => s.Label("kubernetes.io/service-name") == name))
        {
            var tree = slice.ToTree();
            var address = tree["endpoints"].Objects().Where(e => e.At("conditions", "ready") is null || e.Flag("conditions", "ready"))
                .SelectMany(e => e["addresses"].Texts()).FirstOrDefault();
            if (address is not null)
            {
                var targetPort = tree["ports"].Objects().Select(p => p.Integer("port")).FirstOrDefault() ?? port;
                return $"{(address.Contains(':') ? $"[{address}]" : address)}:{targetPort}";
            }
        }

        return null;
    }

    private static HttpRequestMessage Message(ApiRequest request, string address)
    {
        var source = request.Http.Request;
        var message = new HttpRequestMessage(new HttpMethod(source.Method), $"https://{address}{source.Path}{source.QueryString}");
        if (source.ContentLength > 0 || source.Headers.TransferEncoding.Count > 0)
        {
            message.Content = new StreamContent(source.Body);
            if (source.ContentType is { } type)
            {
                message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            }
        }

        foreach (var (name, values) in source.Headers)
        {
            if (!HopByHop.Contains(name) && !name.StartsWith(':') && !name.StartsWith("X-Remote-", StringComparison.OrdinalIgnoreCase) && !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            {
                message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        Identify(message, request.User);
        return message;
    }

    private static void Identify(HttpRequestMessage message, UserInfo user)
    {
        message.Headers.TryAddWithoutValidation("X-Remote-User", user.Name);
        message.Headers.TryAddWithoutValidation("X-Remote-Group", user.Groups);
        foreach (var (key, value) in user.Extra)
        {
            message.Headers.TryAddWithoutValidation("X-Remote-Extra-" + Uri.EscapeDataString(key), value);
        }
    }

    private static async Task CopyAsync(HttpResponseMessage answer, HttpContext http)
    {
        http.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!HopByHop.Contains(name))
            {
                http.Response.Headers[name] = values.ToArray();
            }
        }

        // Watches come line by line: what arrives goes out at once.
        await http.Response.StartAsync(http.RequestAborted);
        await using var body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await body.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            await http.Response.BodyWriter.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
        }
    }

    private static ApiException Unavailable(JsonObject service, string why) =>
        new(503, "ServiceUnavailable", $"the API service {service.Text("metadata", "name")} is not available: {why}");
}
