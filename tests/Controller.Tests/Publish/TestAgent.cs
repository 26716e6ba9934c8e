using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Controller.Tests.Publish;

/// <summary>Reads a node stream as an agent does.</summary>
internal sealed class TestAgent : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly StreamReader _lines;

    private TestAgent(HttpClient http, StreamReader lines) => (_http, _lines) = (http, lines);

    /// <summary>A client that trusts only the controller's own authority, and checks the certificate's name.</summary>
    public static HttpClient Client(string url, string caFile)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(caFile);
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(url),
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public static async Task<TestAgent> ConnectAsync(HttpClient http, string node, string query)
    {
        var response = await http.GetAsync(new Uri($"/v1/nodes/{node}/stream{query}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return new TestAgent(http, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    public async Task<Frame> ReadAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var line = await _lines.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException("the controller ended the stream");
        return JsonSerializer.Deserialize(line, TopologyJson.Default.Frame)!;
    }

    public async Task<List<Frame>> ReadSnapshotAsync()
    {
        var frames = new List<Frame>();
        do
        {
            frames.Add(await ReadAsync());
        }
        while (frames[^1] is not SnapshotEnd);
        return frames;
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }
}
