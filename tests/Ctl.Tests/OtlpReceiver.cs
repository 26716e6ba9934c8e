using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weft.Lab.Net;

namespace Weft.Ctl.Tests;

/// <summary>Receives metrics by OTLP over gRPC in a network namespace, and keeps the last of each.</summary>
/// <remarks>Reads of opentelemetry/proto/collector/metrics/v1 what is asked for: the resource's attributes, and each metric's name, unit and numbers.</remarks>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Socket _socket;
    private readonly ConcurrentDictionary<string, double> _metrics = new(StringComparer.Ordinal);

    private OtlpReceiver(WebApplication app, Socket socket) => (_app, _socket) = (app, socket);

    /// <summary>By <c>service.name/service.instance.id/metric [unit]</c>, the sum of what its points say; a histogram's is 0.</summary>
    public IReadOnlyDictionary<string, double> Metrics => _metrics;

    public static async Task<OtlpReceiver> StartAsync(Netns netns, IPEndPoint at)
    {
        var socket = await netns.RunInsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(at);
        socket.Listen(64);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenHandle((ulong)socket.Handle, l => l.Protocols = HttpProtocols.Http2));
        var receiver = new OtlpReceiver(builder.Build(), socket);
        receiver._app.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", receiver.ExportAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _socket.Dispose();
    }

    private async Task ExportAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        // A byte that says whether it is compressed, and four of length, stand before the message.
        Take(body.ToArray().AsMemory(5));
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(new byte[5]);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private void Take(ReadOnlyMemory<byte> request)
    {
        foreach (var resource in Messages(request, 1))
        {
            var attributes = Messages(resource, 1).SelectMany(r => Messages(r, 1)).ToDictionary(a => Text(a, 1), a => Text(Messages(a, 2).Single(), 1), StringComparer.Ordinal);
            foreach (var metric in Messages(resource, 2).SelectMany(s => Messages(s, 2)))
            {
                var points = Messages(metric, 5).Concat(Messages(metric, 7)).SelectMany(d => Messages(d, 1));
                _metrics[$"{attributes["service.name"]}/{attributes["service.instance.id"]}/{Text(metric, 1)} [{Text(metric, 3)}]"] = points.Sum(Number);
            }
        }
    }

    /// <summary>A data point's <c>as_double</c> or <c>as_int</c>.</summary>
    private static double Number(ReadOnlyMemory<byte> point) => Fields(point).Where(f => f.Number is 4 or 6)
        .Sum(f => f.Number == 4 ? BitConverter.ToDouble(f.Value.Span) : BitConverter.ToInt64(f.Value.Span));

    private static string Text(ReadOnlyMemory<byte> message, int field) => string.Concat(Messages(message, field).Select(m => Encoding.UTF8.GetString(m.Span)));

    private static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field) => Fields(message).Where(f => f.Number == field).Select(f => f.Value);

    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Value)> Fields(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var begin = at;
            var length = (key & 7) switch
            {
                0 => (int)(Varint(message, ref at) * 0),
                1 => 8,
                2 => (int)Varint(message, ref at),
                5 => 4,
                var other => throw new InvalidDataException($"wire type {other} is none of Protocol Buffers"),
            };
            begin = (key & 7) == 2 ? at : begin;
            at += length;
            yield return ((int)(key >> 3), message[begin..at]);
        }
    }

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = message.Span[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
    }
}
