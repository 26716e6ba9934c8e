using System.Net.Sockets;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>The unix socket that the plugin calls: one JSON line each way (<see cref="CniRequest"/>, <see cref="CniReply"/>), any number of calls at once.</summary>
internal sealed partial class CniListener(string path, Func<CniRequest, CancellationToken, Task<CniReply>> execute, CniLimits limits, ILogger logger) : IAsyncDisposable
{
    /// <summary>A configuration with its prevResult is a few KiB.</summary>
    private const int MaxRequestBytes = 1 << 20;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _calls = [];
    private Socket? _socket;
    private Task _accepting = Task.CompletedTask;

    /// <summary>Makes the socket (mode 0600), in place of one that a dead agent left.</summary>
    /// <exception cref="IOException">The path cannot be used, or another agent answers there.</exception>
    public void Start()
    {
        _ = EndPointOf(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        RefuseLivingOwner();

        // The socket appears under its name with its mode, listening, in one step: no plugin ever meets a half-made one.
        var temporary = Path.Combine(folder, $".{Environment.ProcessId}.sock");
        File.Delete(temporary);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(EndPointOf(temporary));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            socket.Listen(512);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new IOException($"the CNI socket {path} cannot be made: {e.Message}; make its folder writable for the agent", e);
        }

        _socket = socket;
        _accepting = AcceptAsync(socket);
        Log.Listening(logger, path);
    }

    /// <summary>Takes no more calls, and waits until those under way are answered.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_socket is null)
        {
            return;
        }

        File.Delete(path);
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] calls;
        lock (_lock)
        {
            calls = [.. _calls];
        }

        await Task.WhenAll(calls).ConfigureAwait(false);
        _stop.Dispose();
        _socket = null;
    }

    private static UnixDomainSocketEndPoint EndPointOf(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException e)
        {
            throw new IOException($"the path of the CNI socket {path} is too long: use one of at most 90 characters", e);
        }
    }

    private void RefuseLivingOwner()
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(EndPointOf(path));
        }
        catch (SocketException)
        {
            // Nobody listens: a dead agent left it.
            return;
        }

        throw new IOException($"another agent answers on {path}: stop it first, or give this one another cniSocket");
    }

    private async Task AcceptAsync(Socket socket)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var connection = await socket.AcceptAsync(_stop.Token).ConfigureAwait(false);
                Track(ServeAsync(connection));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, mostly: those under way end and free some.
                Log.AcceptFailed(logger, e);
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void Track(Task call)
    {
        lock (_lock)
        {
            _calls.Add(call);
        }

        _ = call.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        void Forget(Task done)
        {
            lock (_lock)
            {
                _calls.Remove(done);
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using var owned = connection;
        try
        {
            var reply = await ReadRequestAsync(connection).ConfigureAwait(false) is var (request, problem) && request is not null
                ? await execute(request, _stop.Token).ConfigureAwait(false)
                : new CniReply { ExitCode = 1, Output = CniResult.Error(CniVersions.Newest, CniErrorCode.Decoding, problem, "use the plugin of the agent's release") };
            byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(reply, TopologyJson.Default.CniReply), (byte)'\n'];
            await connection.SendAsync(line, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            // The plugin was killed; the runtime calls DEL or ADD again.
            Log.PluginGone(logger, e);
        }
    }

    private async Task<(CniRequest? Request, string Problem)> ReadRequestAsync(Socket connection)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        timeout.CancelAfter(limits.Request);
        var buffer = new byte[8192];
        var length = 0;
        try
        {
            while (true)
            {
                var read = await connection.ReceiveAsync(buffer.AsMemory(length), timeout.Token).ConfigureAwait(false);
                var end = buffer.AsSpan(length, read).IndexOf((byte)'\n');
                if (end >= 0)
                {
                    return (JsonSerializer.Deserialize(buffer.AsSpan(0, length + end), TopologyJson.Default.CniRequest), "the request is null");
                }

                length += read;
                if (read == 0 || length >= MaxRequestBytes)
                {
                    return (null, read == 0 ? "the request ends before its line does" : $"the request is longer than {MaxRequestBytes} bytes");
                }

                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
            }
        }
        catch (JsonException e)
        {
            return (null, $"the request is no JSON of the exchange: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            return (null, _stop.IsCancellationRequested ? "the agent stops" : $"the request did not arrive within {limits.Request.TotalSeconds:0} s");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3130, LogLevel.Information, "CNI calls are taken on {Path}")]
        public static partial void Listening(ILogger logger, string path);

        [LoggerMessage(3131, LogLevel.Warning, "A CNI call could not be accepted")]
        public static partial void AcceptFailed(ILogger logger, Exception e);

        [LoggerMessage(3132, LogLevel.Information, "The plugin did not wait for its answer")]
        public static partial void PluginGone(ILogger logger, Exception e);
    }
}
