using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.Tests.Host;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>A running CNI service with a node namespace, a pod namespace, and calls as the plugin makes them.</summary>
internal sealed class CniBench : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private CniBench(TestNamespace node, TestNamespace pod)
    {
        Node = node;
        Pod = pod;
    }

    public FakePodNetwork Network { get; } = new();

    public TestNamespace Node { get; }

    public TestNamespace Pod { get; }

    public CniService Service { get; private set; } = null!;

    public string Socket => _folder.File("cni.sock");

    public string StateDir => _folder.Path;

    public static async Task<CniBench> StartAsync(CniLimits? limits = null)
    {
        var bench = new CniBench(await TestNamespace.CreateAsync(), await TestNamespace.CreateAsync());
        try
        {
            await bench.RestartAsync(limits);
            return bench;
        }
        catch
        {
            await bench.Pod.DisposeAsync();
            await bench.Node.DisposeAsync();
            throw;
        }
    }

    public async Task RestartAsync(CniLimits? limits = null)
    {
        if (Service is not null)
        {
            await Service.DisposeAsync();
        }

        Service = new CniService(
            Socket, StateDir, Network, limits ?? new CniLimits(), TimeProvider.System, NullLogger<CniService>.Instance, Node.Path);
        await Service.StartAsync(CancellationToken.None);
    }

    public static string Config(string version = "1.0.0", string extra = "") =>
        $$"""{"cniVersion":"{{version}}","name":"weft","type":"weft-cni"{{extra}}}""";

    public CniRequest Request(string command, string container = "c1", string? config = null, string pod = "web", string? netns = null) => new()
    {
        Command = command,
        ContainerId = container,
        IfName = "eth0",
        Netns = netns ?? Pod.Path,
        Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_UID=u1",
        Config = config ?? Config(),
    };

    public Task<CniReply> CallAsync(string command, string container = "c1", string? config = null, string pod = "web", string? netns = null) =>
        CallAsync(Request(command, container, config, pod, netns));

    public async Task<CniReply> CallAsync(CniRequest request) =>
        JsonSerializer.Deserialize(await SendAsync(JsonSerializer.Serialize(request, TopologyJson.Default.CniRequest)), TopologyJson.Default.CniReply)!;

    /// <summary>Sends one line and returns the answer.</summary>
    public async Task<string> SendAsync(string line)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Pod.DisposeAsync();
        await Node.DisposeAsync();
        _folder.Dispose();
    }
}
