using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

[SupportedOSPlatform("linux")]
public sealed class ListenerTests
{
    private TemporaryFolder _folder = null!;

    private string Path => _folder.File("cni.sock");

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task The_socket_is_for_root_only_and_goes_away_at_the_end()
    {
        var listener = Start();
        Assert.That(File.GetUnixFileMode(Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(await AskAsync("{\"command\":\"X\"}\n"), Does.Contain("echo X"));
        await listener.DisposeAsync();
        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.Empty);
    }

    [Test]
    public async Task A_socket_that_a_dead_agent_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path));
            File.Move(Path, Path + ".kept");
        }

        File.Move(Path + ".kept", Path);
        await using var listener = Start();
        Assert.That(await AskAsync("{\"command\":\"X\"}\n"), Does.Contain("echo X"));
    }

    [Test]
    public async Task A_living_agents_socket_is_left_alone()
    {
        await using var first = Start();
        var error = Assert.Throws<IOException>(() => Start());
        Assert.That(error!.Message, Does.Contain("another agent answers on").And.Contain("stop it first"));
        Assert.That(await AskAsync("{\"command\":\"X\"}\n"), Does.Contain("echo X"));
    }

    [Test]
    public void A_path_that_is_too_long_is_named()
    {
        var listener = new CniListener(_folder.File(new string('x', 120)), EchoAsync, new CniLimits(), NullLogger.Instance);
        Assert.That(Assert.Throws<IOException>(listener.Start)!.Message, Does.Contain("is too long"));
    }

    [TestCase("no json\n", "the request is no JSON")]
    [TestCase("null\n", "the request is null")]
    [TestCase("[1]\n", "the request is no JSON")]
    [TestCase("{\"command\":", "ends before its line does")]
    [TestCase("", "ends before its line does")]
    public async Task What_is_no_request_gets_an_answer(string text, string expected)
    {
        await using var listener = Start();
        Assert.That(await AskAsync(text), Does.Contain("\\u0022code\\u0022:6").And.Contain(expected));
    }

    [Test]
    public async Task A_request_without_end_is_cut_off()
    {
        await using var listener = Start();
        using var socket = Connect();
        var chunk = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));
        for (var i = 0; i < 16; i++)
        {
            await socket.SendAsync(chunk);
        }

        Assert.That(await ReadAsync(socket), Does.Contain("longer than"));
    }

    [Test]
    public async Task A_large_request_in_small_pieces_is_read()
    {
        await using var listener = Start();
        using var socket = Connect();
        var text = Encoding.ASCII.GetBytes($"{{\"config\":\"{new string('x', 100_000)}\",\"command\":\"END\"}}\n");
        for (var at = 0; at < text.Length; at += 7_000)
        {
            await socket.SendAsync(text.AsMemory(at, Math.Min(7_000, text.Length - at)));
        }

        Assert.That(await ReadAsync(socket), Does.Contain("echo END"));
    }

    [Test]
    public async Task Who_says_nothing_is_answered_after_the_time_limit()
    {
        await using var listener = Start(new CniLimits { Request = TimeSpan.FromMilliseconds(100) });
        using var socket = Connect();
        Assert.That(await ReadAsync(socket), Does.Contain("did not arrive within"));
    }

    [Test]
    public async Task A_plugin_that_goes_away_harms_nobody()
    {
        await using var listener = Start();
        for (var i = 0; i < 50; i++)
        {
            using var socket = Connect();
            await socket.SendAsync("{\"command\":\"X\"}\n"u8.ToArray());
            socket.LingerState = new LingerOption(true, 0);
        }

        Assert.That(await AskAsync("{\"command\":\"X\"}\n"), Does.Contain("echo X"));
    }

    private static Task<CniReply> EchoAsync(CniRequest request, CancellationToken ct) =>
        Task.FromResult(new CniReply { Output = $"echo {request.Command}" });

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (await socket.ReceiveAsync(buffer.AsMemory(length), limit.Token) is var read and > 0)
        {
            length += read;
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private CniListener Start(CniLimits? limits = null)
    {
        var listener = new CniListener(Path, EchoAsync, limits ?? new CniLimits(), NullLogger.Instance);
        listener.Start();
        return listener;
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Path));
        return socket;
    }

    private async Task<string> AskAsync(string text)
    {
        using var socket = Connect();
        await socket.SendAsync(Encoding.UTF8.GetBytes(text));
        socket.Shutdown(SocketShutdown.Send);
        return await ReadAsync(socket);
    }
}
