using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Weft.Kubernetes;

/// <summary>Lists a kind of object, then watches it, for ever: an ordered sequence of steps that ends only by cancellation.</summary>
/// <remarks>After a gap (410, a lost connection) it lists again and tells the difference to what it told before: objects that are gone are
/// told as deleted one by one, after the new ones, and only when the whole list was read. Failures wait with growing delays and are told to
/// <paramref name="onFailure"/>. One enumeration at a time.</remarks>
/// <param name="client">The API server.</param>
/// <param name="type">The kind.</param>
/// <param name="time">The clock of the delays.</param>
/// <param name="onFailure">Told each failure and how long is waited; must not block.</param>
public sealed class Reflector<T>(KubernetesClient client, ResourceType<T> type, TimeProvider time, Action<KubernetesException, TimeSpan>? onFailure = null)
    where T : class, IKubernetesObject
{
    /// <summary>Objects asked for in one page.</summary>
    public const int PageSize = 500;

    private const int LongestLine = 64 * 1024 * 1024;
    private readonly Dictionary<ObjectKey, string> _told = [];
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));
    private bool _synced;
    private string? _resourceVersion;

    /// <summary>Limits the objects, for example <c>metadata.name=x</c>; null: all.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Only one namespace; null: all.</summary>
    public string? Namespace { get; init; }

    /// <summary>The steps. An object may be told again without a change.</summary>
    public async IAsyncEnumerable<ResourceEvent<T>> RunAsync([EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            var steps = _resourceVersion is null ? ListAsync(ct) : WatchAsync(_resourceVersion, ct);
            await using var step = steps.GetAsyncEnumerator(ct);
            while (true)
            {
                KubernetesException? failure = null;
                try
                {
                    if (!await step.MoveNextAsync().ConfigureAwait(false))
                    {
                        break;
                    }
                }
                catch (Exception e) when (e is KubernetesException or IOException or HttpRequestException or JsonException
                    || (e is OperationCanceledException && !ct.IsCancellationRequested))
                {
                    failure = e as KubernetesException ?? new KubernetesException($"{type}: {e.Message}", e);
                    if (e is JsonException)
                    {
                        // The same text would come again from the same place: pass it by with a list.
                        _resourceVersion = null;
                    }
                }

                if (failure is not null)
                {
                    await WaitAfterAsync(failure, ct).ConfigureAwait(false);
                    break;
                }

                yield return step.Current;
            }
        }
    }

    private async Task WaitAfterAsync(KubernetesException failure, CancellationToken ct)
    {
        if (failure.IsExpired)
        {
            _resourceVersion = null;
        }

        var wait = _backoff.Next(failure.RetryAfter);
        onFailure?.Invoke(failure, wait);
        await Task.Delay(wait, time, ct).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<ResourceEvent<T>> ListAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var seen = new HashSet<ObjectKey>();
        var page = new List<ResourceEvent<T>>();
        string? continueAt = null;
        string? version;
        do
        {
            page.Clear();
            var path = $"{type.CollectionPath(Namespace)}?limit={PageSize}{Selector}"
                + (continueAt is null ? "" : $"&continue={Uri.EscapeDataString(continueAt)}");
            using var response = await client.OpenAsync(path, ct).ConfigureAwait(false);
            var meta = ObjectReader.ReadList(await response.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false), type, page);
            (continueAt, version) = (meta.Continue, meta.ResourceVersion);
            foreach (var item in page)
            {
                seen.Add(item.Key);
                if (Note(item))
                {
                    yield return item;
                }
            }
        }
        while (!string.IsNullOrEmpty(continueAt));

        foreach (var gone in _told.Keys.Where(k => !seen.Contains(k)).ToArray())
        {
            _told.Remove(gone);
            yield return new ResourceEvent<T>(ResourceEventType.Delete, gone);
        }

        _resourceVersion = string.IsNullOrEmpty(version) ? throw new KubernetesException($"{type}: a list without metadata.resourceVersion") : version;
        _backoff.Reset();
        if (!_synced)
        {
            _synced = true;
            yield return new ResourceEvent<T>(ResourceEventType.Synced, default);
        }
    }

    private async IAsyncEnumerable<ResourceEvent<T>> WatchAsync(string from, [EnumeratorCancellation] CancellationToken ct)
    {
        var path = $"{type.CollectionPath(Namespace)}?watch=true&allowWatchBookmarks=true&resourceVersion={Uri.EscapeDataString(from)}"
            + $"&timeoutSeconds={Random.Shared.Next(300, 600)}{Selector}";
        using var response = await client.OpenAsync(path, ct).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        var reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        var steps = new List<ResourceEvent<T>>();
        var received = false;
        while (true)
        {
            var read = await reader.ReadAsync(ct).ConfigureAwait(false);
            var buffer = read.Buffer;
            KubernetesException? ended = null;
            while (ended is null && buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                received = true;
                ended = TakeLine(line.IsSingleSegment ? line.FirstSpan : line.ToArray(), steps);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > LongestLine)
            {
                throw new KubernetesException($"{type}: a watch event of more than {LongestLine} bytes");
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            foreach (var step in steps)
            {
                yield return step;
            }

            if (steps.Count > 0)
            {
                _backoff.Reset();
                steps.Clear();
            }

            if (ended is not null)
            {
                throw ended;
            }

            if (read.IsCompleted)
            {
                // The server ends watches after a while; one that it ends at once must not become a busy loop.
                if (!received)
                {
                    throw new KubernetesException($"{type}: the watch ended before it told anything");
                }

                yield break;
            }
        }
    }

    /// <summary>Takes one watch event.</summary>
    /// <returns>Why the watch is over, or null.</returns>
    private KubernetesException? TakeLine(ReadOnlySpan<byte> line, List<ResourceEvent<T>> steps)
    {
        if (line.Trim((byte)'\r').IsEmpty)
        {
            return null;
        }

        var (eventType, range) = ObjectReader.ReadWatchEvent(line);
        if (eventType == "ERROR")
        {
            var status = JsonSerializer.Deserialize(line[range], KubernetesJson.Default.V1Status);
            return new KubernetesException($"{type}: {status?.Message ?? "the watch failed"}")
            {
                StatusCode = (System.Net.HttpStatusCode)(status?.Code ?? 500),
                Reason = status?.Reason,
                RetryAfter = status?.Details?.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            };
        }

        if (eventType == "BOOKMARK")
        {
            // Carries only metadata: read as any object, it may have no name.
            using var document = JsonDocument.Parse(line[range].ToArray());
            _resourceVersion = document.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? _resourceVersion;
            return null;
        }

        var item = ObjectReader.Read(line[range], type);
        if (item.Object is { Metadata.ResourceVersion: { } version })
        {
            _resourceVersion = version;
        }

        if (eventType == "DELETED")
        {
            _told.Remove(item.Key);
            steps.Add(new ResourceEvent<T>(ResourceEventType.Delete, item.Key));
        }
        else if (Note(item))
        {
            steps.Add(item);
        }

        return null;
    }

    /// <summary>Remembers what is told.</summary>
    /// <returns>False when the same version was told before.</returns>
    private bool Note(ResourceEvent<T> item)
    {
        if (item.Type != ResourceEventType.Upsert)
        {
            return true;
        }

        var version = item.Object!.Metadata.ResourceVersion ?? "";
        var isNew = !_told.TryGetValue(item.Key, out var known) || known != version || version.Length == 0;
        _told[item.Key] = version;
        return isNew;
    }

    private string Selector => FieldSelector is null ? "" : $"&fieldSelector={Uri.EscapeDataString(FieldSelector)}";
}
