using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>The agent's connection to the controllers: reads the node stream, resumes it, sends reports.</summary>
/// <remarks>One reader. Controllers are tried in turn, with a back-off of 0.2 to 1 s, later 5 s, after each round; a connection that is silent for 30 s is given up.</remarks>
public sealed partial class ControllerStream : IDisposable
{
    private const int LongestLine = 16 * 1024 * 1024;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ControllerStream> _logger;
    private readonly HttpClient _http;
    private readonly TaskCompletionSource _firstWord = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;

    /// <summary>Prepares the client; connects on <see cref="RunAsync"/>.</summary>
    public ControllerStream(AgentOptions options, TimeProvider time, ILogger<ControllerStream> logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(10) };
        if (options.ControllerCaFile is { } ca)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => IsSignedBy(certificate, ca);
        }

        _http = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>The controller that answers now, or null.</summary>
    public string? Connected { get; private set; }

    /// <summary>Why the last connection ended or did not come about; empty at first.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Ends when a controller first told a step or that there is none to tell, or when every controller was asked in vain.</summary>
    public Task FirstWord => _firstWord.Task;

    /// <summary>Reads until cancelled.</summary>
    /// <param name="builder">Starts from what is known; each connection resumes after its revision.</param>
    /// <param name="onChange">Called for each completed step, in order.</param>
    public async Task RunAsync(SliceBuilder builder, Action<SliceChange> onChange, CancellationToken ct)
    {
        var failures = 0;
        void Step(SliceChange? change)
        {
            if (change is not null)
            {
                onChange(change);
            }

            _firstWord.TrySetResult();
        }

        while (!ct.IsCancellationRequested)
        {
            var controller = _options.Controllers[_next % _options.Controllers.Length];
            try
            {
                await ReadStreamAsync(controller, builder, Step, () => failures = 0, ct).ConfigureAwait(false);
                LastFailure = "the controller ended the stream";
            }
            catch (Exception e) when (FrameLine.IsNonsense(e) || e is HttpRequestException or IOException or OperationCanceledException or UnauthorizedAccessException)
            {
                if (ct.IsCancellationRequested)
                {
                    return;
                }

                LastFailure = e is OperationCanceledException ? $"nothing received for {Silence.TotalSeconds:0} s"
                    : FrameLine.IsNonsense(e) ? $"the controller {controller} sent what makes no sense: {e.Message}"
                    : e.Message;
                if (FrameLine.IsNonsense(e))
                {
                    // What it says makes no sense: ask for a snapshot next time.
                    builder.Reset();
                }
            }

            builder.Abandon();
            Connected = null;
            _next++;
            if (failures++ is 0 or 5 || failures % 60 == 0)
            {
                LogDisconnected(_logger, controller, LastFailure);
            }

            if (failures >= _options.Controllers.Length)
            {
                _firstWord.TrySetResult();
            }

            await Task.Delay(Backoff(failures, _options.Controllers.Length), _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sends a report to the controller that is connected.</summary>
    /// <returns>False when there is none or it did not take it; the next report says the same again.</returns>
    public async Task<bool> ReportAsync(NodeReport report, CancellationToken ct)
    {
        if (Connected is not { } controller)
        {
            return false;
        }

        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            using var request = Request(HttpMethod.Post, $"{controller.TrimEnd('/')}/v1/nodes/{_options.NodeName}/report");
            request.Content = JsonContent.Create(report, TopologyJson.Default.NodeReport);
            using var response = await _http.SendAsync(request, limit.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>How long to wait after so many failures in a row: nothing before all controllers were asked, then 0.2 s doubling to 1 s, because a standby
    /// needs a few seconds to take over and agents should find it then; after twenty rounds 5 s. A quarter more or less at random.</summary>
    internal static TimeSpan Backoff(int failures, int controllers)
    {
        if (failures % controllers != 0)
        {
            return TimeSpan.Zero;
        }

        var rounds = failures / controllers;
        var milliseconds = rounds > 20 ? 5000 : Math.Min(1000, 200 * Math.Pow(2, Math.Min(rounds - 1, 3)));
        return TimeSpan.FromMilliseconds(milliseconds * (0.75 + (Random.Shared.NextDouble() / 2)));
    }

    /// <summary>Lets a controller of another epoch see that nothing needs to be sent; after a reset a snapshot is wanted.</summary>
    private static string DigestOf(Slice slice) =>
        slice.Revision < 0 ? "" : $"&digest={SliceDigest.ToText(SliceDigest.Of(slice.Items.Values))}";

    private async Task ReadStreamAsync(string controller, SliceBuilder builder, Action<SliceChange?> onStep, Action onConnected, CancellationToken ct)
    {
        using var watchdog = new CancellationTokenSource(Silence, _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, watchdog.Token);
        var query = builder.Current.IsKnown
            ? $"?epoch={Uri.EscapeDataString(builder.Current.Epoch)}&revision={builder.Current.Revision}{DigestOf(builder.Current)}"
            : "";
        using var request = Request(HttpMethod.Get, $"{controller.TrimEnd('/')}/v1/nodes/{_options.NodeName}/stream{query}");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            var text = await response.Content.ReadAsStringAsync(stop.Token).ConfigureAwait(false);
            throw new HttpRequestException($"the controller answered {(int)response.StatusCode} {response.ReasonPhrase}: {text.Trim()}");
        }

        await using var body = await response.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
        var reader = PipeReader.Create(body);
        while (true)
        {
            var read = await reader.ReadAsync(stop.Token).ConfigureAwait(false);
            watchdog.CancelAfter(Silence);
            var buffer = read.Buffer;
            while (TryReadLine(ref buffer, out var line))
            {
                if (line.IsEmpty)
                {
                    continue;
                }

                if (Connected is null)
                {
                    Connected = controller;
                    AgentMetrics.ControllerConnections.Add(1);
                    LogConnected(_logger, controller, builder.Current.Revision);
                    onConnected();
                }

                var frame = FrameLine.Parse(line);
                var change = builder.Take(frame);
                if (change is not null || frame is Alive)
                {
                    onStep(change);
                }
            }

            if (buffer.Length > LongestLine)
            {
                throw new InvalidDataException($"the controller sent a line of more than {LongestLine} bytes");
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }

        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private HttpRequestMessage Request(HttpMethod method, string url)
    {
        var request = new HttpRequestMessage(method, url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (_options.TokenFile is { } file)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(file).Trim());
        }

        return request;
    }

    // The CA is the cluster's own and signs controllers only, so a certificate of it is enough whatever name was dialled.
    private static bool IsSignedBy(X509Certificate? certificate, string caFile)
    {
        if (certificate is null)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(caFile);
        using var server = new X509Certificate2(certificate);
        return chain.Build(server);
    }

    [LoggerMessage(3610, LogLevel.Information, "Connected to controller {Controller} at revision {Revision}")]
    private static partial void LogConnected(ILogger logger, string controller, long revision);

    [LoggerMessage(3611, LogLevel.Warning, "No connection to controller {Controller}: {Reason}")]
    private static partial void LogDisconnected(ILogger logger, string controller, string reason);
}
