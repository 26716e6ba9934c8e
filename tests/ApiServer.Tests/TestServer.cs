using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>An API server inside the test's process, spoken to over its unix socket.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("weft-api-").FullName;
    private readonly bool _ownsDirectory = true;

    private TestServer(Func<ApiServerOptions, ApiServerOptions>? configure, string? directory)
    {
        if (directory is not null)
        {
            Directory.Delete(_directory);
            (_directory, _ownsDirectory) = (directory, false);
        }

        var options = new ApiServerOptions
        {
            StateDirectory = _directory,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            UnixSocket = Path.Combine(_directory, "api.sock"),
        };
        Host = new ApiServerHost(configure?.Invoke(options) ?? options);
        Http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(options.UnixSocket), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://api"),
        };
    }

    public ApiServerHost Host { get; }

    public HttpClient Http { get; }

    public string Folder => _directory;

    public static async Task<TestServer> StartAsync(Func<ApiServerOptions, ApiServerOptions>? configure = null, string? directory = null)
    {
        var server = new TestServer(configure, directory);
        await server.Host.StartAsync(CancellationToken.None);
        await Eventually.True("the default namespace", async () => (await server.GetAsync("/api/v1/namespaces/default")).Code == 200);
        return server;
    }

    public Task<Answer> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, null, null, accept);

    public Task<Answer> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json, "application/json");

    public Task<Answer> PutAsync(string path, string json) => SendAsync(HttpMethod.Put, path, json, "application/json");

    public Task<Answer> DeleteAsync(string path, string? json = null) => SendAsync(HttpMethod.Delete, path, json, "application/json");

    /// <param name="kind">"merge", "json", "strategic" or "apply".</param>
    public Task<Answer> PatchAsync(string path, string kind, string body) => SendAsync(HttpMethod.Patch, path, body, kind switch
    {
        "merge" => "application/merge-patch+json",
        "json" => "application/json-patch+json",
        "strategic" => "application/strategic-merge-patch+json",
        _ => "application/apply-patch+yaml",
    });

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body, string? contentType, string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType!);
        }

        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer((int)response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : [],
            response.Headers.TryGetValues("Warning", out var warnings) ? string.Join("\n", warnings) : "");
    }

    /// <summary>Creates an object and returns it; fails the test when it is refused.</summary>
    public async Task<JsonObject> CreateAsync(string path, string json)
    {
        var answer = await PostAsync(path, json);
        Assert.That(answer.Code, Is.EqualTo(201), answer.Body.ToJsonString());
        return answer.Body;
    }

    public async Task CreateNamespaceAsync(string name) =>
        await CreateAsync("/api/v1/namespaces", $$"""{"metadata":{"name":"{{name}}"} }""");

    public static string Pod(string name, string extra = "", string labels = "") => $$"""
        {"metadata":{"name":"{{name}}","labels":{ {{labels}} } },"spec":{"containers":[{"name":"c","image":"busybox:1","ports":[{"name":"web","containerPort":8080}]}]{{extra}} } }
        """;

    /// <summary>Makes a pod look as a kubelet leaves it.</summary>
    public async Task RunPodAsync(string ns, string name, string ips, bool ready = true)
    {
        var podIps = string.Join(",", ips.Split(',').Select(ip => $$"""{"ip":"{{ip}}"}"""));
        var answer = await PatchAsync($"/api/v1/namespaces/{ns}/pods/{name}/status", "merge",
            $$"""{"status":{"phase":"Running","podIP":"{{ips.Split(',')[0]}}","podIPs":[{{podIps}}],"conditions":[{"type":"Ready","status":"{{ready}}"}]} }""");
        Assert.That(answer.Code, Is.EqualTo(200), answer.Body.ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        if (_ownsDirectory)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Code, JsonObject Body, string Warnings)
{
    public string Message => Body.Text("message") ?? "";

    public string Reason => Body.Text("reason") ?? "";

    public IEnumerable<string> Names => Body["items"].Objects().Select(i => i.Text("metadata", "name")!);
}
