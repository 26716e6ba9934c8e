using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Weft.Agent.Sync;

/// <summary>Makes a user-space datapath forget what it has cached of flows that changed. Nothing is done for a kernel datapath.</summary>
/// <remarks>
/// When Open vSwitch 3.1 revalidates overlapping megaflows in user space, it can write the new actions into another megaflow than it
/// means (dpif_netdev_flow_put looks up by packet, not by id): the stale one then allows or denies as before for as long as it is used.
/// <c>revalidator/purge</c> (ovs-vswitchd(8)) empties the cache; it fills again from the tables, without loss. Requests within
/// <see cref="Pause"/> become one. Safe for concurrent use.
/// </remarks>
internal sealed partial class DatapathCache(AgentOptions options, ILogger logger) : IAsyncDisposable
{
    private static readonly byte[] Purge = """{"id":0,"method":"revalidator/purge","params":[]}"""u8.ToArray();
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private Socket? _socket;
    private Task _run = Task.CompletedTask;
    private int _wanted;
    private int _running;

    /// <summary>How often the cache was emptied.</summary>
    public long Purges { get; private set; }

    /// <summary>Flows have changed in the switch. Returns at once.</summary>
    public void FlowsChanged()
    {
        if (options.DatapathType != "netdev" || _stop.IsCancellationRequested)
        {
            return;
        }

        Interlocked.Increment(ref _wanted);
        if (Interlocked.Exchange(ref _running, 1) == 0)
        {
            _run = Task.Run(RunAsync);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        Disconnect();
    }

    private async Task RunAsync()
    {
        do
        {
            while (Interlocked.Exchange(ref _wanted, 0) > 0)
            {
                await PurgeAsync().ConfigureAwait(false);
                await Task.Delay(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            Volatile.Write(ref _running, 0);
        }
        while (Volatile.Read(ref _wanted) > 0 && Interlocked.Exchange(ref _running, 1) == 0);
    }

    private async Task PurgeAsync()
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(Patience);
            var answer = await AskAsync(limit.Token).ConfigureAwait(false);
            if (answer.RootElement.GetProperty("error").ValueKind != JsonValueKind.Null)
            {
                LogFailed(logger, answer.RootElement.GetProperty("error").ToString());
            }

            Purges++;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or OperationCanceledException or JsonException or KeyNotFoundException)
        {
            // A switch that is just restarting has nothing cached.
            Disconnect();
            LogFailed(logger, e.Message);
        }
    }

    /// <summary>Asks on the connection of the last time, if it still is one: the switch is woken once for a request, and two times more for a connection.</summary>
    private async Task<JsonDocument> AskAsync(CancellationToken ct)
    {
        if (_socket is not null)
        {
            try
            {
                return await ExchangeAsync(_socket, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // The switch was restarted.
                Disconnect();
            }
        }

        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await _socket.ConnectAsync(new UnixDomainSocketEndPoint(FindControl()), ct).ConfigureAwait(false);
        return await ExchangeAsync(_socket, ct).ConfigureAwait(false);
    }

    private static async Task<JsonDocument> ExchangeAsync(Socket socket, CancellationToken ct)
    {
        await socket.SendAsync(Purge, ct).ConfigureAwait(false);
        return await ReadAsync(socket, ct).ConfigureAwait(false);
    }

    private void Disconnect()
    {
        _socket?.Dispose();
        _socket = null;
    }

    /// <summary>Its name has the process id, unless --unixctl gave another; a killed switch leaves its own behind.</summary>
    private string FindControl() =>
        new DirectoryInfo(options.OvsRunDir).EnumerateFiles("*vswitchd*.ctl").MaxBy(f => f.LastWriteTimeUtc)?.FullName
        ?? throw new IOException($"no control socket of ovs-vswitchd in {options.OvsRunDir}");

    /// <summary>Reads one answer: it ends where it is whole JSON.</summary>
    private static async Task<JsonDocument> ReadAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[4096];
        var text = new StringBuilder();
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, ct).ConfigureAwait(false);
            if (length == 0)
            {
                throw new IOException("the switch closed its control socket without an answer");
            }

            text.Append(Encoding.UTF8.GetString(buffer, 0, length));
            if (TryParse(text.ToString()) is { } answer)
            {
                return answer;
            }
        }
    }

    private static JsonDocument? TryParse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            // More is to come.
            return null;
        }
    }

    [LoggerMessage(3050, LogLevel.Warning, "The datapath's cache could not be emptied, what it has cached may outlive the flows that changed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
