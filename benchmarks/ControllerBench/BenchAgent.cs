using System.Net;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Bench.ControllerBench;

/// <summary>An agent that only keeps what it needs to resume: its own items, and of the items that all nodes have the sum of their digests.</summary>
internal sealed class BenchAgent(string controller, string node) : IDisposable
{
    private static readonly Lock SharedLock = new();
    private static UInt128? _shared;
    private readonly Dictionary<ItemRef, TopologyItem> _own = [];
    private HttpClient? _http;
    private StreamReader? _lines;
    private string _query = "";
    private string _epoch = "";

    /// <summary>Whether the last connection began without a snapshot.</summary>
    public bool WasResumed { get; private set; }

    /// <summary>Connects, again and again until the controller answers, and reads until it is up to date.</summary>
    public async Task ConnectAsync()
    {
        while (true)
        {
            try
            {
                Dispose();
                var handler = new SocketsHttpHandler();
                handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
                _http = new HttpClient(handler)
                {
                    Timeout = Timeout.InfiniteTimeSpan, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                var stream = await _http.GetStreamAsync(new Uri($"{controller}/v1/nodes/{node}/stream{_query}"));
                _lines = new StreamReader(stream, bufferSize: 4096);
                await ReadStartAsync();
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200));
            }
        }
    }

    /// <summary>Reads until the next delta and applies it.</summary>
    public async Task NextDeltaAsync()
    {
        while (true)
        {
            if (Parse(await LineAsync()) is Delta delta)
            {
                foreach (var item in delta.Upserts)
                {
                    _own[ItemRef.Of(item)] = item;
                }

                Remember(delta.Revision);
                return;
            }
        }
    }

    public void Dispose()
    {
        _lines?.Dispose();
        _http?.Dispose();
        (_lines, _http) = (null, null);
    }

    private static Frame Parse(string line) => JsonSerializer.Deserialize(line, TopologyJson.Default.Frame)!;

    private async Task<string> LineAsync() => await _lines!.ReadLineAsync() ?? throw new IOException("the controller ended the stream");

    private async Task ReadStartAsync()
    {
        var first = Parse(await LineAsync());
        WasResumed = first is not SnapshotBegin;
        if (WasResumed)
        {
            return;
        }

        _own.Clear();
        var shared = UInt128.Zero;
        while (true)
        {
            var line = await LineAsync();
            var isShared = line.Contains("\"nodeEndpoint\"", StringComparison.Ordinal);
            if (isShared && _shared is not null)
            {
                continue;
            }

            switch (Parse(line))
            {
                case SnapshotItem item when isShared:
                    shared = unchecked(shared + SliceDigest.Of(item.Item));
                    break;
                case SnapshotItem item:
                    _own[ItemRef.Of(item.Item)] = item.Item;
                    break;
                case SnapshotEnd end:
                    lock (SharedLock)
                    {
                        _shared ??= shared;
                    }

                    _epoch = end.Epoch;
                    Remember(end.Revision);
                    return;
                default:
                    break;
            }
        }
    }

    private void Remember(long revision) =>
        _query = $"?epoch={_epoch}&revision={revision}&digest={SliceDigest.ToText(unchecked(_shared!.Value + SliceDigest.Of(_own.Values)))}";
}
