using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weft.Topology;

namespace Weft.Agent.Tests.Facts;

/// <summary>A controller that says what it is told, line by line, and then keeps the connection.</summary>
internal sealed class FakeController : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeController(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>Each connection's stream is the first frame, and the others when they are let.</summary>
    public static Task<FakeController> StartAsync(Task rest, params Frame[] frames) => StartAsync(async (_, write) =>
    {
        foreach (var frame in frames)
        {
            await write(JsonSerializer.Serialize(frame, TopologyJson.Default.Frame));
            await rest;
        }
    });

    /// <summary>Each connection is told by a script, which gets its number from 1 and a way to write a line.</summary>
    public static async Task<FakeController> StartAsync(Func<int, Func<string, Task>, Task> script)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        var connections = 0;
        app.Run(async http =>
        {
            await script(Interlocked.Increment(ref connections), async line =>
            {
                await http.Response.WriteAsync(line + "\n");
                await http.Response.Body.FlushAsync();
            });
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await app.StartAsync();
        return new FakeController(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
