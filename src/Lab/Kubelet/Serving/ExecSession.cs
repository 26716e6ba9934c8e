using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Weft.Lab.ApiServer;
using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>One command for somebody at the other end of a WebSocket: the protocol <c>v5.channel.k8s.io</c>.</summary>
/// <remarks>Each binary message begins with the number of its channel. 255 closes the channel that the next byte names.
/// See k8s.io/apimachinery, pkg/util/remotecommand.</remarks>
internal sealed class ExecSession
{
    public const string Protocol = "v5.channel.k8s.io";

    private const byte Input = 0;
    private const byte Output = 1;
    private const byte Error = 2;
    private const byte Outcome = 3;
    private const byte Close = 255;

    /// <summary>How long the other end gets to close after it was told the outcome.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly Process _process;
    private readonly SemaphoreSlim _sending = new(1);

    private ExecSession(WebSocket socket, Process process) => (_socket, _process) = (socket, process);

    /// <summary>Runs the command to its end and tells its exit code; ends it with everything that it started when the other end goes away.</summary>
    /// <param name="socket">The other end.</param>
    /// <param name="command">What to start, as the leader of a session of its own.</param>
    /// <param name="ct">The other end has gone.</param>
    public static async Task RunAsync(WebSocket socket, ProcessStartInfo command, CancellationToken ct)
    {
        command.RedirectStandardInput = command.RedirectStandardOutput = command.RedirectStandardError = true;
        using var process = Process.Start(command)!;
        try
        {
            await new ExecSession(socket, process).TalkAsync(ct);
        }
        finally
        {
            ProcessTable.Signal(-process.Id, ProcessTable.SigKill);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task TalkAsync(CancellationToken ct)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listening = ListenAsync(gone.Token);
        var ended = EndAsync(gone.Token);
        if (await Task.WhenAny(listening, ended) == listening)
        {
            // Nobody is there for the rest.
            await gone.CancelAsync();
            await listening;
            await ended.ContinueWith(_ => { }, CancellationToken.None);
            return;
        }

        // A connection that is closed with something unread in it loses what was sent: the other end closes first.
        await ended;
        gone.CancelAfter(Farewell);
        await listening.ContinueWith(_ => { }, CancellationToken.None);
    }

    private async Task EndAsync(CancellationToken ct)
    {
        await Task.WhenAll(CopyAsync(_process.StandardOutput.BaseStream, Output, ct), CopyAsync(_process.StandardError.BaseStream, Error, ct));
        await _process.WaitForExitAsync(ct);
        await SendAsync(Outcome, Json.ToBytes(Status(_process.ExitCode)), ct);
        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", ct);
    }

    /// <summary>Passes on what comes for the program; returns when the other end closes.</summary>
    private async Task ListenAsync(CancellationToken ct)
    {
        var buffer = new byte[16 << 10];
        var channel = -1;
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            var data = buffer.AsMemory(0, part.Count);
            if (channel < 0 && part.Count > 0)
            {
                channel = data.Span[0];
                data = data[1..];
            }

            await TakeAsync(channel, data, ct);
            channel = part.EndOfMessage ? -1 : channel;
        }
    }

    private async Task TakeAsync(int channel, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        try
        {
            if (channel == Input)
            {
                await _process.StandardInput.BaseStream.WriteAsync(data, ct);
                await _process.StandardInput.BaseStream.FlushAsync(ct);
            }
            else if (channel == Close && data.Span is [Input, ..])
            {
                _process.StandardInput.Close();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The program does not read its input (any more), as programs may.
        }
    }

    private async Task CopyAsync(Stream from, byte channel, CancellationToken ct)
    {
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await from.ReadAsync(buffer, ct)) > 0)
        {
            await SendAsync(channel, buffer.AsMemory(0, read), ct);
        }
    }

    private async Task SendAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        byte[] message = [channel, .. data.Span];
        await _sending.WaitAsync(ct);
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, ct);
        }
        finally
        {
            _sending.Release();
        }
    }

    private static JsonObject Status(int exit) => exit == 0
        ? new JsonObject { ["metadata"] = new JsonObject(), ["status"] = "Success" }
        : new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = $"command terminated with non-zero exit code: {exit}",
            ["reason"] = "NonZeroExitCode",
            ["details"] = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ExitCode", ["message"] = $"{exit}" }) },
        };
}
