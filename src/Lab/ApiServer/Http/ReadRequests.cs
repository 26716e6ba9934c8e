using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>get, and list with selectors and pages. Lists are written item by item, never held as one text.</summary>
public sealed class ReadRequests(ObjectStore store)
{
    private const int FlushAt = 64 << 10;
    private const int KeptPages = 256;

    /// <summary>Lists that are read in pages, by token; the oldest go first.</summary>
    private readonly ConcurrentDictionary<string, Page> _pages = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    public async Task GetAsync(ApiRequest request, ResourceType type)
    {
        var item = store.Find(type.StorageKey, request.Namespace, request.Name!) ?? throw ApiException.NotFound(type, request.Name!);
        await Responses.WriteAsync(request.Http, 200, ResponseForm.Read(request).Single(type, item));
    }

    public async Task ListAsync(ApiRequest request, ResourceType type)
    {
        var limit = int.TryParse(request.Query("limit"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;
        var page = request.Query("continue") is { Length: > 0 } token ? Resume(token, type) : Start(request, type, limit);
        var form = ResponseForm.Read(request);
        var end = limit > 0 ? Math.Min(page.Items.Count, page.Next + limit) : page.Items.Count;
        string? next = null;
        if (end < page.Items.Count)
        {
            next = Keep(page with { Next = end });
        }

        var response = request.Http.Response;
        response.ContentType = "application/json";
        using var writer = new Utf8JsonWriter(response.BodyWriter, Json.WriterOptions);
        form.WriteStart(writer, type, page.Revision, next, next is null ? null : page.Items.Count - end);
        for (var i = page.Next; i < end; i++)
        {
            form.WriteItem(writer, type, page.Items[i]);
            if (writer.BytesPending > FlushAt)
            {
                writer.Flush();
                await response.BodyWriter.FlushAsync(request.Aborted);
            }
        }

        ResponseForm.WriteEnd(writer);
        writer.Flush();
        await response.BodyWriter.FlushAsync(request.Aborted);
    }

    /// <summary>What the selectors let through, in a snapshot.</summary>
    public static IEnumerable<StoredObject> Select(StoreSnapshot snapshot, LabelSelector labels, FieldSelector fields)
    {
        foreach (var item in snapshot.Items)
        {
            if (labels.Matches(item) && fields.Matches(item))
            {
                yield return item;
            }
        }
    }

    private Page Start(ApiRequest request, ResourceType type, int limit)
    {
        CheckRevision(request, limit);
        var labels = LabelSelector.Parse(request.Query("labelSelector"));
        var fields = FieldSelector.Parse(request.Query("fieldSelector"));
        var snapshot = store.Snapshot(type.StorageKey, request.Namespace.Length == 0 ? null : request.Namespace);
        return new Page(type.StorageKey, snapshot.Revision, [.. Select(snapshot, labels, fields)], 0);
    }

    /// <summary>This server has only the newest state: an exact older revision cannot be had, one of the future not yet.</summary>
    private void CheckRevision(ApiRequest request, int limit)
    {
        var text = request.Query("resourceVersion");
        var match = request.Query("resourceVersionMatch");
        if (string.IsNullOrEmpty(text) || text == "0")
        {
            if (!string.IsNullOrEmpty(match) && string.IsNullOrEmpty(text))
            {
                throw ApiException.BadRequest("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
            }

            return;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
        {
            throw ApiException.BadRequest($"resourceVersion: Invalid value: \"{text}\": not a number");
        }

        var current = store.Revision;
        if (revision > current)
        {
            throw new ApiException(504, "Timeout", $"Too large resource version: {revision}, current: {current}",
                new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }), ["retryAfterSeconds"] = 1 });
        }

        if (match == "Exact" && revision != current)
        {
            throw ApiException.Expired($"The resourceVersion for the provided list is too old: {revision} (current: {current}, limit {limit})");
        }
    }

    private Page Resume(string token, ResourceType type) =>
        _pages.TryGetValue(token, out var page) && page.StorageKey == type.StorageKey ? page
            : throw ApiException.Expired("The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.");

    private string Keep(Page page)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _pages[token] = page;
        _order.Enqueue(token);
        while (_order.Count > KeptPages && _order.TryDequeue(out var oldest))
        {
            _pages.TryRemove(oldest, out _);
        }

        return token;
    }

    /// <summary>Drops all page tokens: the next one asked for is too old.</summary>
    public void Forget() => _pages.Clear();

    private sealed record Page(string StorageKey, long Revision, List<StoredObject> Items, int Next);
}
