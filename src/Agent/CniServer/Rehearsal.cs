using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Host.Netlink;
using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>Attaches and detaches a pod that does not exist, in a namespace that nobody sees: the first real pod does not wait for code that runs for the first time.</summary>
/// <remarks>Everything is as for a real pod, but the switch: leases in a folder of its own, a socket, a veth pair.</remarks>
internal static class Rehearsal
{
    private const string Interface = "eth0";

    /// <summary>Rehearses once; takes a fraction of a second and leaves nothing behind.</summary>
    /// <param name="folder">A folder that does not exist; it is made and removed.</param>
    /// <param name="time">The clock.</param>
    /// <returns>The answer to ADD.</returns>
    /// <exception cref="Exception">Whatever keeps a pod from being attached here: it would keep the first real one from it, too.</exception>
    public static async Task<CniReply> RunAsync(string folder, TimeProvider time)
    {
        // It is both the node's and the pod's.
        using var stage = NetworkNamespace.New();
        var netns = NetworkNamespace.PathOf(stage);
        try
        {
            var socket = Path.Combine(folder, "cni.sock");
            var service = new CniService(socket, folder, new EmptyStage(), new CniLimits(), time, NullLogger<CniService>.Instance, netns);
            await using var owned = service.ConfigureAwait(false);
            await service.StartAsync(CancellationToken.None).ConfigureAwait(false);
            var request = new CniRequest
            {
                Command = "ADD",
                ContainerId = "rehearsal",
                IfName = Interface,
                Netns = netns,
                Args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=rehearsal;K8S_POD_NAME=rehearsal;K8S_POD_UID=rehearsal",
                Config = """{"cniVersion":"1.0.0","name":"rehearsal","type":"weft-cni"}""",
            };
            var reply = await AskAsync(socket, request).ConfigureAwait(false);
            await AskAsync(socket, request with { Command = "DEL" }).ConfigureAwait(false);
            return reply;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<CniReply> AskAsync(string path, CniRequest request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).ConfigureAwait(false);
        await socket.SendAsync(new ReadOnlyMemory<byte>([.. JsonSerializer.SerializeToUtf8Bytes(request, TopologyJson.Default.CniRequest), (byte)'\n'])).ConfigureAwait(false);
        using var reader = new StreamReader(new NetworkStream(socket));
        return JsonSerializer.Deserialize(await reader.ReadToEndAsync().ConfigureAwait(false), TopologyJson.Default.CniReply)!;
    }

    /// <summary>A network of addresses for documentation (RFC 5737, RFC 3849), without a switch.</summary>
    private sealed class EmptyStage : IPodNetwork
    {
        public IReadOnlyCollection<Attachment> Attachments => [];

        public string? NotReadyReason => null;

        public Task<PodInterfacePlan> FindPodAsync(string podNamespace, string podName, string uid, CancellationToken ct) => Task.FromResult(new PodInterfacePlan
        {
            Port = new LogicalPort { Id = $"{podNamespace}/{podName}", Uid = uid, Node = "rehearsal", Switch = "rehearsal" },
            Subnets = [new("192.0.2.0/24", "192.0.2.1"), new("2001:db8::/64", "2001:db8::1")],
            Mtu = 1400,
            DisableTxOffload = true,
        });

        public Task AttachAsync(Attachment attachment, Task interfaceExists, CancellationToken ct) => interfaceExists.WaitAsync(ct);

        public Task IsolateAsync(string containerId, string ifName, CancellationToken ct) => Task.CompletedTask;

        public Task DetachAsync(string containerId, string ifName, string hostInterface, CancellationToken ct) => Task.CompletedTask;

        public Task<string?> CheckAsync(string containerId, string ifName, CancellationToken ct) => Task.FromResult<string?>(null);
    }
}
