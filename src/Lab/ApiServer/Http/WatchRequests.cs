using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Watches: a position in the store's history, written out as far as the client reads.</summary>
/// <remarks>A client that reads too slowly falls behind the history and gets an ERROR event with 410, like one that asks for an old
/// revision. Nobody else waits for it.</remarks>
public sealed class WatchRequests(ObjectStore store, ApiServerOptions options, Faults faults)
{
    private const int Batch = 256;
    private static readonly TimeSpan LongestWatch = TimeSpan.FromHours(1);

    public async Task WatchAsync(ApiRequest request, ResourceType type)
    {
        var watch = new Watch(request, type, ResponseForm.Read(request));
        var revision = request.Query("resourceVersion");
        var initial = request.Query("sendInitialEvents") == "true" || (revision is null or "" or "0" && request.Query("sendInitialEvents") != "false");
        if (!initial && !long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw ApiException.BadRequest($"resourceVersion: Invalid value: \"{revision}\": not a number");
        }

        request.Http.Response.ContentType = "application/json";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, faults.WatchesClose);
        end.CancelAfter(double.TryParse(request.Query("timeoutSeconds"), CultureInfo.InvariantCulture, out var seconds) && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, LongestWatch.TotalSeconds)) : LongestWatch);
        try
        {
            await request.Http.Response.StartAsync(end.Token);
            await request.Http.Response.BodyWriter.FlushAsync(end.Token);
            watch.Position = initial ? await SendInitialAsync(watch, end.Token) : long.Parse(revision!, CultureInfo.InvariantCulture);
            await FollowAsync(watch, end.Token);
        }
        catch (OperationCanceledException)
        {
            // The client left, its time is over, or a fault closes watches: a watch just ends.
        }
    }

    private async Task<long> SendInitialAsync(Watch watch, CancellationToken stop)
    {
        var snapshot = store.Snapshot(watch.Type.StorageKey, watch.Namespace);
        foreach (var item in ReadRequests.Select(snapshot, watch.Labels, watch.Fields))
        {
            watch.Write("ADDED"u8, watch.Form.Single(watch.Type, item).Span);
            await watch.FlushAsync(false, stop);
        }

        if (watch.Request.Query("sendInitialEvents") == "true")
        {
            watch.WriteBookmark(snapshot.Revision, initialEnd: true);
        }

        await watch.FlushAsync(true, stop);
        return snapshot.Revision;
    }

    private async Task FollowAsync(Watch watch, CancellationToken stop)
    {
        var changes = new List<StoreChange>(Batch);
        var (bookmarkDue, marked) = (false, 0L);
        while (true)
        {
            changes.Clear();
            if (!store.TryRead(watch.Type.StorageKey, watch.Position, changes, Batch, out var current, out var more))
            {
                var gone = ApiException.Expired($"too old resource version: {watch.Position}");
                watch.Write("ERROR"u8, Json.ToBytes(gone.ToStatus()));
                await watch.FlushAsync(true, stop);
                return;
            }

            foreach (var change in changes)
            {
                watch.Send(change);
                await watch.FlushAsync(false, stop);
            }

            if (changes.Count == Batch)
            {
                watch.Position = changes[^1].Revision;
                continue;
            }

            watch.Position = Math.Max(watch.Position, current);
            if (bookmarkDue && watch.Position > marked)
            {
                marked = watch.Position;
                watch.WriteBookmark(marked, initialEnd: false);
            }

            await watch.FlushAsync(true, stop);
            bookmarkDue = false;
            if (!watch.Bookmarks)
            {
                await more.WaitAsync(stop);
            }
            else
            {
                bookmarkDue = !await ChangedWithinAsync(more, options.BookmarkInterval, stop);
            }
        }
    }

    private static async Task<bool> ChangedWithinAsync(Task more, TimeSpan time, CancellationToken stop)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var first = await Task.WhenAny(more, Task.Delay(time, timer.Token));
        await timer.CancelAsync();
        stop.ThrowIfCancellationRequested();
        return first == more;
    }

    /// <summary>One client's watch.</summary>
    private sealed class Watch(ApiRequest request, ResourceType type, ResponseForm form)
    {
        private const int FlushAt = 64 << 10;
        private readonly ArrayBufferWriter<byte> _pending = new(4096);

        public ApiRequest Request => request;

        public ResourceType Type => type;

        public ResponseForm Form => form;

        public string? Namespace { get; } = request.Namespace.Length == 0 ? null : request.Namespace;

        public LabelSelector Labels { get; } = LabelSelector.Parse(request.Query("labelSelector"));

        public FieldSelector Fields { get; } = WithName(request);

        public bool Bookmarks { get; } = request.Query("allowWatchBookmarks") is "true" or "1";

        public long Position { get; set; }

        /// <summary>Objects that come into or leave the selection look added or deleted.</summary>
        public void Send(StoreChange change)
        {
            if (Namespace is not null && change.Object.Namespace != Namespace)
            {
                return;
            }

            var is_ = change.Kind != ChangeKind.Deleted && Selects(change.Object);
            var was = change.Previous is not null && Selects(change.Previous);
            if (is_)
            {
                Write(was ? "MODIFIED"u8 : "ADDED"u8, form.Single(type, change.Object).Span);
            }
            else if (was)
            {
                Write("DELETED"u8, form.Single(type, change.Object).Span);
            }
        }

        public void Write(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> json)
        {
            _pending.Write("{\"type\":\""u8);
            _pending.Write(kind);
            _pending.Write("\",\"object\":"u8);
            _pending.Write(json);
            _pending.Write("}\n"u8);
        }

        public void WriteBookmark(long revision, bool initialEnd)
        {
            var metadata = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) };
            if (initialEnd)
            {
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            }

            JsonObject mark = form.Shape switch
            {
                ResponseShape.Table => TablePrinter.Bookmark(type, metadata),
                ResponseShape.MetadataOnly => new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = metadata },
                _ => new JsonObject { ["kind"] = type.Kind, ["apiVersion"] = type.ApiVersion, ["metadata"] = metadata },
            };
            Write("BOOKMARK"u8, Json.ToBytes(mark));
        }

        public async ValueTask FlushAsync(bool everything, CancellationToken stop)
        {
            if (_pending.WrittenCount > 0 && (everything || _pending.WrittenCount > FlushAt))
            {
                await request.Http.Response.BodyWriter.WriteAsync(_pending.WrittenMemory, stop);
                _pending.ResetWrittenCount();
            }
        }

        private bool Selects(StoredObject item) => Labels.Matches(item) && Fields.Matches(item);

        private static FieldSelector WithName(ApiRequest request)
        {
            var text = request.Query("fieldSelector");
            return FieldSelector.Parse(request.Name is null ? text : $"metadata.name={request.Name}{(string.IsNullOrEmpty(text) ? "" : "," + text)}");
        }
    }
}
