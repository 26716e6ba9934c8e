using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Controller.Publish;

namespace Weft.Controller.Api;

/// <summary>The read-only API <c>topology.weft.dev/v1alpha1</c>, which kubectl reaches through the Kubernetes API server.</summary>
/// <remarks>Lists are made from the network when they are asked for. A watch compares lists, at most once a second.</remarks>
internal sealed class TopologyApi(Publisher publisher, NodeReports reports, FrontProxyAuthentication authentication)
{
    private const string Root = $"/apis/{TopologyKind.Group}/{TopologyKind.Version}";
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Adds the pages.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/apis", http => DiscoverAsync(http, Discovery.GroupList()));
        app.MapGet($"/apis/{TopologyKind.Group}", http => DiscoverAsync(http, Discovery.Group()));
        app.MapGet(Root, http => DiscoverAsync(http, Discovery.Resources()));
        app.MapGet(Root + "/{plural}", (HttpContext http, string plural) => CollectionAsync(http, plural, null));
        app.MapGet(Root + "/namespaces/{ns}/{plural}", (HttpContext http, string ns, string plural) => CollectionAsync(http, plural, ns));
        app.MapGet(Root + "/{plural}/{name}", (HttpContext http, string plural, string name) => ObjectAsync(http, plural, null, name));
        app.MapGet(Root + "/namespaces/{ns}/{plural}/{name}", (HttpContext http, string ns, string plural, string name) => ObjectAsync(http, plural, ns, name));
    }

    private static bool WantsTable(HttpContext http) => http.Request.Headers.Accept.ToString().Contains("as=Table", StringComparison.Ordinal);

    private async Task DiscoverAsync(HttpContext http, JsonObject page)
    {
        if (await authentication.RefusalAsync(http, null, "get", http.RequestAborted).ConfigureAwait(false) is { } refusal)
        {
            await FailAsync(http, refusal.Status, "Unauthorized", refusal.Reason).ConfigureAwait(false);
            return;
        }

        await WriteAsync(http, StatusCodes.Status200OK, page).ConfigureAwait(false);
    }

    private async Task CollectionAsync(HttpContext http, string plural, string? ns)
    {
        var isWatch = http.Request.Query["watch"] is ["true" or "1"];
        if (await FindAsync(http, plural, isWatch ? "watch" : "list").ConfigureAwait(false) is not { } kind)
        {
            return;
        }

        if (!TrySelector(http.Request.Query["fieldSelector"].ToString(), out var selects))
        {
            await FailAsync(http, StatusCodes.Status400BadRequest, "BadRequest", "fieldSelector: use field=value or field!=value with metadata.name, metadata.namespace or a field of spec, such as spec.node=node1").ConfigureAwait(false);
            return;
        }

        bool Wanted(TopologyObject o) => (ns is null || o.Namespace == ns) && selects(o);
        if (isWatch)
        {
            await WatchAsync(http, kind, Wanted).ConfigureAwait(false);
            return;
        }

        var (revision, objects) = Read(kind, Wanted);
        await WriteAsync(http, StatusCodes.Status200OK, WantsTable(http)
            ? Tables.Of(kind, objects, revision)
            : new JsonObject
            {
                ["apiVersion"] = TopologyKind.ApiVersion,
                ["kind"] = kind.Kind + "List",
                ["metadata"] = new JsonObject { ["resourceVersion"] = Text(revision) },
                ["items"] = new JsonArray([.. objects.Select(o => (JsonNode)o.ToJson(kind))]),
            }).ConfigureAwait(false);
    }

    private async Task ObjectAsync(HttpContext http, string plural, string? ns, string name)
    {
        if (await FindAsync(http, plural, "get").ConfigureAwait(false) is not { } kind)
        {
            return;
        }

        var (revision, objects) = Read(kind, o => o.Namespace == ns && o.Name == name);
        if (objects is not [var found])
        {
            await FailAsync(http, StatusCodes.Status404NotFound, "NotFound", $"{kind.Plural}.{TopologyKind.Group} \"{name}\" not found").ConfigureAwait(false);
            return;
        }

        await WriteAsync(http, StatusCodes.Status200OK, WantsTable(http) ? Tables.Of(kind, objects, revision) : found.ToJson(kind)).ConfigureAwait(false);
    }

    private async Task<TopologyKind?> FindAsync(HttpContext http, string plural, string verb)
    {
        var kind = Array.Find(TopologyKind.All, k => k.Plural == plural);
        if (await authentication.RefusalAsync(http, kind, verb, http.RequestAborted).ConfigureAwait(false) is { } refusal)
        {
            await FailAsync(http, refusal.Status, refusal.Status == StatusCodes.Status403Forbidden ? "Forbidden" : "Unauthorized", refusal.Reason).ConfigureAwait(false);
            return null;
        }

        if (!publisher.Synced.IsCompleted)
        {
            await FailAsync(http, StatusCodes.Status503ServiceUnavailable, "ServiceUnavailable", "not yet in sync with Kubernetes").ConfigureAwait(false);
            return null;
        }

        if (kind is null)
        {
            await FailAsync(http, StatusCodes.Status404NotFound, "NotFound", $"{TopologyKind.ApiVersion} has no {plural}").ConfigureAwait(false);
        }

        return kind;
    }

    /// <summary>Tells everything once, then what changes. The end of the connection ends it, or the time that the watcher asked for (<c>timeoutSeconds</c>).</summary>
    private async Task WatchAsync(HttpContext http, TopologyKind kind, Func<TopologyObject, bool> wanted)
    {
        http.Response.ContentType = "application/json";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        if (int.TryParse(http.Request.Query["timeoutSeconds"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 86400)
        {
            end.CancelAfter(TimeSpan.FromSeconds(seconds));
        }

        var told = new Dictionary<(string?, string), (TopologyObject Object, string Text)>();
        // Who listed at this very revision has these already.
        var (revision, first) = Read(kind, wanted);
        var silent = http.Request.Query["resourceVersion"].ToString() == Text(revision);
        try
        {
            for (var objects = first; ; (revision, objects) = Read(kind, wanted))
            {
                var gone = told.Keys.ToHashSet();
                foreach (var item in objects)
                {
                    var text = item.ToJson(kind).ToJsonString() + item.Cells.ToJsonString();
                    var key = (item.Namespace, item.Name);
                    gone.Remove(key);
                    var isKnown = told.TryGetValue(key, out var before);
                    told[key] = (item, text);
                    if (before.Text != text && !silent)
                    {
                        await TellAsync(http, kind, isKnown ? "MODIFIED" : "ADDED", item, revision).ConfigureAwait(false);
                    }
                }

                silent = false;
                foreach (var key in gone)
                {
                    told.Remove(key, out var before);
                    await TellAsync(http, kind, "DELETED", before.Object, revision).ConfigureAwait(false);
                }

                await http.Response.Body.FlushAsync(http.RequestAborted).ConfigureAwait(false);
                await Task.Delay(WatchPeriod, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher went, or its time is over.
        }
    }

    private static Task TellAsync(HttpContext http, TopologyKind kind, string type, TopologyObject item, long revision)
    {
        JsonObject value;
        if (WantsTable(http))
        {
            value = Tables.Of(kind, [item], revision);
        }
        else
        {
            value = item.ToJson(kind);
            value["metadata"]!["resourceVersion"] = Text(revision);
        }

        return http.Response.WriteAsync(new JsonObject { ["type"] = type, ["object"] = value }.ToJsonString() + "\n", http.RequestAborted);
    }

    private (long Revision, List<TopologyObject> Objects) Read(TopologyKind kind, Func<TopologyObject, bool> wanted) => publisher.Read(network =>
        (network.Revision, kind.List(network, reports).Where(wanted).OrderBy(o => o.Namespace, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal).ToList()));

    private static bool TrySelector(string text, out Func<TopologyObject, bool> selects)
    {
        var terms = new List<Func<TopologyObject, bool>>();
        selects = o => terms.TrueForAll(t => t(o));
        foreach (var term in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = term.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                return false;
            }

            var (field, isNot, value) = (term[..at].TrimEnd('!'), term[at - 1] == '!', term[(at + 1)..].TrimStart('='));
            if (!TopologyObject.Knows(field))
            {
                return false;
            }

            terms.Add(o => o.Has(field, value) != isNot);
        }

        return true;
    }

    private static string Text(long revision) => revision.ToString(CultureInfo.InvariantCulture);

    private static Task FailAsync(HttpContext http, int code, string reason, string message) => WriteAsync(http, code, new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "Status", ["status"] = "Failure", ["code"] = code, ["reason"] = reason, ["message"] = message,
    });

    private static Task WriteAsync(HttpContext http, int code, JsonObject page)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(page.ToJsonString(), http.RequestAborted);
    }
}
