using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Weft.TestSupport;

/// <summary>A scripted Kubernetes API server in this process: keeps objects as JSON, lists in pages, watches, patches status, and fails on demand.</summary>
/// <remarks>It knows nothing of kinds: a path such as <c>/api/v1/pods</c> is a collection. Safe to use from any thread.</remarks>
public sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private readonly List<(long Version, string Collection, string Line)> _history = [];
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<string> _requests = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource _watches = new();
    private long _version = 1;
    private long _oldest;

    private FakeApiServer(WebApplication app) => _app = app;

    /// <summary>Its URL, http on loopback.</summary>
    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Answers a request instead of the server: return true when done. Called for every request.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    /// <summary>Every request, as <c>METHOD path?query</c>.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Starts a server on a free port.</summary>
    public static async Task<FakeApiServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new FakeApiServer(app);
        app.Run(server.HandleAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>A kubeconfig for it, written into a folder.</summary>
    public string WriteKubeconfig(string folder)
    {
        var path = Path.Combine(folder, "kubeconfig");
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            current-context: fake
            contexts: [{name: fake, context: {cluster: fake, user: fake} }]
            clusters: [{name: fake, cluster: {server: "{{Url}}"} }]
            users: [{name: fake, user: {token: secret} }]
            """);
        return path;
    }

    /// <summary>Creates or replaces an object of a collection, for example <c>/api/v1/pods</c>.</summary>
    public void Put(string collection, string json)
    {
        lock (_lock)
        {
            var value = (JsonObject)JsonNode.Parse(json)!;
            var key = KeyOf(collection, value);
            var isNew = !_objects.ContainsKey(key);
            Store(collection, key, value, isNew ? "ADDED" : "MODIFIED");
        }
    }

    /// <summary>Deletes an object; it must be there.</summary>
    public void Delete(string collection, string? ns, string name)
    {
        lock (_lock)
        {
            if (!_objects.Remove($"{collection}|{ns}|{name}", out var value))
            {
                throw new InvalidOperationException($"{collection} has no {ns}/{name}");
            }

            _version++;
            value["metadata"]!["resourceVersion"] = $"{_version}";
            Tell(collection, "DELETED", value);
        }
    }

    /// <summary>Sends a line to the watchers of a collection as it is.</summary>
    public void SendRaw(string collection, string line)
    {
        lock (_lock)
        {
            _version++;
            _history.Add((_version, collection, line));
            Signal();
        }
    }

    /// <summary>An object as stored, or null.</summary>
    public JsonObject? Find(string collection, string? ns, string name)
    {
        lock (_lock)
        {
            return _objects.GetValueOrDefault($"{collection}|{ns}|{name}")?.DeepClone() as JsonObject;
        }
    }

    /// <summary>Every object of a collection.</summary>
    public IReadOnlyList<JsonObject> All(string collection)
    {
        lock (_lock)
        {
            return [.. _objects.Where(o => o.Key.StartsWith(collection + "|", StringComparison.Ordinal)).Select(o => (JsonObject)o.Value.DeepClone())];
        }
    }

    /// <summary>Forgets the history: watches that start from an older version get 410. Ends all watches.</summary>
    public void Compact()
    {
        lock (_lock)
        {
            _history.Clear();
            _oldest = _version;
        }

        EndWatches();
    }

    /// <summary>Closes every watch, as a server does now and then.</summary>
    public void EndWatches()
    {
        lock (_lock)
        {
            _watches.Cancel();
            _watches = new CancellationTokenSource();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        EndWatches();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    private static string KeyOf(string collection, JsonObject value) =>
        $"{collection}|{value["metadata"]?["namespace"]}|{value["metadata"]?["name"]}";

    private void Store(string collection, string key, JsonObject value, string type)
    {
        _version++;
        value["metadata"]!["resourceVersion"] = $"{_version}";
        _objects[key] = value;
        Tell(collection, type, value);
    }

    private void Tell(string collection, string type, JsonObject value)
    {
        _history.Add((_version, collection, new JsonObject { ["type"] = type, ["object"] = value.DeepClone() }.ToJsonString()));
        Signal();
    }

    private void Signal()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private async Task HandleAsync(HttpContext http)
    {
        lock (_lock)
        {
            _requests.Add($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}");
        }

        if (Intercept is { } intercept && await intercept(http))
        {
            return;
        }

        var (collection, ns, name) = ObjectPath.Parse(http.Request.Path!);
        await (http.Request.Method switch
        {
            "GET" when name is null && http.Request.Query["watch"] == "true" => WatchAsync(http, collection),
            "GET" when name is null => ListAsync(http, collection, ns),
            "GET" => AnswerObjectAsync(http, Find(collection, ns, name!)),
            "POST" => CreateAsync(http, collection, ns),
            "PUT" => ReplaceAsync(http, collection, ns, name!),
            "PATCH" => PatchAsync(http, collection, ns, name!),
            "DELETE" => DeleteAsync(http, collection, ns, name!),
            _ => FailAsync(http, 405, "MethodNotAllowed", "not here"),
        });
    }

    private async Task ListAsync(HttpContext http, string collection, string? ns)
    {
        string text;
        lock (_lock)
        {
            var limit = int.TryParse(http.Request.Query["limit"], out var given) ? given : int.MaxValue;
            var after = http.Request.Query["continue"].FirstOrDefault() ?? "";
            var prefix = ns is null ? $"{collection}|" : $"{collection}|{ns}|";
            var page = _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(o.Key, after) > 0)
                .Take(limit == int.MaxValue ? limit : limit + 1).ToList();
            var more = page.Count > limit;
            page = more ? page[..limit] : page;
            var list = new StringBuilder($$"""{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"{{_version}}","continue":"{{(more ? page[^1].Key : "")}}"},"items":[""");
            list.AppendJoin(',', page.Select(o => o.Value.ToJsonString())).Append("]}");
            text = list.ToString();
        }

        await WriteAsync(http, 200, text);
    }

    private async Task WatchAsync(HttpContext http, string collection)
    {
        var from = long.Parse(http.Request.Query["resourceVersion"].FirstOrDefault() ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        CancellationToken ended;
        lock (_lock)
        {
            ended = _watches.Token;
        }

        http.Response.ContentType = "application/json";
        await http.Response.StartAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ended, http.RequestAborted);
        try
        {
            while (true)
            {
                Task changed;
                string[] lines;
                lock (_lock)
                {
                    changed = _changed.Task;
                    if (from < _oldest)
                    {
                        lines = ["""{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","code":410,"message":"too old resource version"}}"""];
                    }
                    else
                    {
                        lines = [.. _history.Where(h => h.Version > from && h.Collection == collection).Select(h => h.Line)];
                        from = _version;
                    }
                }

                foreach (var line in lines)
                {
                    await http.Response.WriteAsync(line + "\n", stop.Token);
                }

                if (lines is [var only] && only.Contains("\"code\":410", StringComparison.Ordinal))
                {
                    return;
                }

                await changed.WaitAsync(stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The watch ends.
        }
    }

    private async Task CreateAsync(HttpContext http, string collection, string? ns)
    {
        var value = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        lock (_lock)
        {
            var meta = (JsonObject)(value["metadata"] ??= new JsonObject());
            meta["name"] ??= $"{meta["generateName"]}{_version}";
            if (ns is not null)
            {
                meta["namespace"] = ns;
            }

            var key = KeyOf(collection, value);
            if (!_objects.ContainsKey(key))
            {
                Store(collection, key, value, "ADDED");
                ns = null;
            }
            else
            {
                ns = "taken";
            }
        }

        await (ns == "taken" ? FailAsync(http, 409, "AlreadyExists", "it exists") : AnswerObjectAsync(http, value));
    }

    private async Task ReplaceAsync(HttpContext http, string collection, string? ns, string name)
    {
        var value = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        var (conflict, missing) = (false, false);
        lock (_lock)
        {
            var key = $"{collection}|{ns}|{name}";
            missing = !_objects.TryGetValue(key, out var stored);
            conflict = !missing && value["metadata"]?["resourceVersion"]?.GetValue<string>() is { } version
                && version != stored!["metadata"]!["resourceVersion"]!.GetValue<string>();
            if (!missing && !conflict)
            {
                Store(collection, key, value, "MODIFIED");
            }
        }

        await (missing ? FailAsync(http, 404, "NotFound", "no such object") : conflict
            ? FailAsync(http, 409, "Conflict", "the object has been modified") : AnswerObjectAsync(http, value));
    }

    private async Task PatchAsync(HttpContext http, string collection, string? ns, string name)
    {
        var patch = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        JsonObject? value = null;
        lock (_lock)
        {
            var key = $"{collection}|{ns}|{name}";
            if (_objects.TryGetValue(key, out var stored))
            {
                value = (JsonObject)stored.DeepClone();
                PatchMerge.Apply(value, patch, isStrategic: http.Request.ContentType?.Contains("strategic", StringComparison.Ordinal) == true);
                Store(collection, key, value, "MODIFIED");
            }
        }

        await AnswerObjectAsync(http, value);
    }

    private Task DeleteAsync(HttpContext http, string collection, string? ns, string name)
    {
        if (Find(collection, ns, name) is null)
        {
            return FailAsync(http, 404, "NotFound", "no such object");
        }

        Delete(collection, ns, name);
        return WriteAsync(http, 200, """{"kind":"Status","status":"Success"}""");
    }

    private static Task AnswerObjectAsync(HttpContext http, JsonObject? value) =>
        value is null ? FailAsync(http, 404, "NotFound", "no such object") : WriteAsync(http, 200, value.ToJsonString());

    /// <summary>Answers with a Status, as the real server does.</summary>
    public static Task FailAsync(HttpContext http, int code, string reason, string message) =>
        WriteAsync(http, code, $$"""{"kind":"Status","status":"Failure","reason":"{{reason}}","code":{{code}},"message":"{{message}}"}""");

    private static Task WriteAsync(HttpContext http, int code, string text)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(text);
    }
}
