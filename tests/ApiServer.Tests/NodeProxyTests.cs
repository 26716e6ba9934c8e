using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>log and exec reach the kubelet that the pod's node names.</summary>
public sealed class NodeProxyTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    private TestServer _server = null!;
    private WebApplication _kubelet = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        var socket = Path.Combine(_server.Folder, "kubelet.sock");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.ListenUnixSocket(socket));
        _kubelet = builder.Build();
        _kubelet.Run(AnswerAsync);
        await _kubelet.StartAsync();
        await _server.CreateAsync("/api/v1/nodes", $$"""{"metadata":{"name":"n1","annotations":{"{{NodeProxy.SocketAnnotation}}":"{{socket}}"} } }""");
        await _server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"dead","annotations":{"lab.weft.dev/kubelet-socket":"/nonexistent"}}}""");
        await _server.CreateAsync(Pods, TestServer.Pod("p", ""","nodeName":"n1" """));
        await _server.CreateAsync(Pods, TestServer.Pod("lost", ""","nodeName":"dead" """));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _kubelet.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task Logs_come_through_line_by_line()
    {
        Assert.That(await _server.Http.GetStringAsync(Pods + "/p/log?follow=true"), Is.EqualTo("GET /containerLogs/default/p/c?follow=true\nline 1\nline 2\n"));
    }

    [Test]
    public async Task Exec_is_a_tunnel_in_both_directions()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_server.Folder, "api.sock")));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {Pods}/p/exec?command=sh&stdin=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("HTTP/1.1 101 Switching Protocols"));
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }

        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("/exec/default/p/c?command=sh&input=true"));
        await stream.WriteAsync("hello\n"u8.ToArray());
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("echo hello"));
    }

    [TestCase("/p/log?container=nope", 400, "container nope is not valid for pod p")]
    [TestCase("/lost/log", 503, "the kubelet of node dead does not answer at /nonexistent")]
    [TestCase("/none/log", 404, "pods \"none\" not found")]
    public async Task What_cannot_be_reached_is_named(string path, int code, string message)
    {
        var answer = await _server.GetAsync(Pods + path);
        Assert.That((answer.Code, answer.Message), Is.EqualTo((code, answer.Message)));
        Assert.That(answer.Message, Does.Contain(message));
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        var upgrade = http.Features.Get<IHttpUpgradeFeature>();
        if (upgrade?.IsUpgradableRequest != true)
        {
            await http.Response.WriteAsync($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}\n");
            await http.Response.Body.FlushAsync();
            await http.Response.WriteAsync("line 1\nline 2\n");
            return;
        }

        http.Response.Headers.Upgrade = "SPDY/3.1";
        await using var tunnel = await upgrade.UpgradeAsync();
        await tunnel.WriteAsync(Encoding.ASCII.GetBytes($"{http.Request.Path}{http.Request.QueryString}\n"));
        using var reader = new StreamReader(tunnel);
        while (await reader.ReadLineAsync() is { } line)
        {
            await tunnel.WriteAsync(Encoding.ASCII.GetBytes($"echo {line}\n"));
        }
    }
}
