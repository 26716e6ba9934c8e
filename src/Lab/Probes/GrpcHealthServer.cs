using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Lab.Net;

namespace Weft.Lab.Probes;

/// <summary>Answers <see cref="GrpcHealth"/> in a network namespace, IPv4 and IPv6, for itself as a whole.</summary>
/// <remarks>It serves at first. <c>/make-not-serving</c> and <c>/make-serving</c>, HTTP/2 on the same port, change what it says.</remarks>
public sealed class GrpcHealthServer : IAsyncDisposable
{
    /// <summary>gRPC's code for a service that the server does not have.</summary>
    private const string NotFound = "5";

    private readonly WebApplication _web;
    private volatile bool _isServing = true;

    private GrpcHealthServer(Socket bound)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore()
            .UseSockets(sockets => sockets.CreateBoundListenSocket = _ => bound)
            .ConfigureKestrel(kestrel => kestrel.Listen((IPEndPoint)bound.LocalEndPoint!, listen => listen.Protocols = HttpProtocols.Http2));
        _web = builder.Build();
        _web.Run(AnswerAsync);
    }

    /// <summary>Starts listening.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static async Task<GrpcHealthServer> StartAsync(Netns netns, int port)
    {
        var socket = await netns.RunInsideAsync(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true });
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            var server = new GrpcHealthServer(socket);
            await server._web.StartAsync();
            return server;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        switch (http.Request.Path.Value)
        {
            case GrpcHealth.Path:
                await CheckAsync(http);
                break;
            case "/make-serving":
                _isServing = true;
                break;
            case "/make-not-serving":
                _isServing = false;
                break;
            default:
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private async Task CheckAsync(HttpContext http)
    {
        using var request = new MemoryStream();
        await http.Request.Body.CopyToAsync(request, http.RequestAborted);
        http.Response.ContentType = GrpcHealth.MediaType;
        if (GrpcHealth.ReadRequest(request.ToArray()) is not "")
        {
            http.Response.AppendTrailer("grpc-status", NotFound);
            return;
        }

        await http.Response.Body.WriteAsync(GrpcHealth.Answer(_isServing), http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }
}
