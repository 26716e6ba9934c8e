using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Topology;

namespace Weft.Agent.Dns;

/// <summary>Answers the DNS questions of this node's tenant pods: names of their own network from the node's slice, others by the cluster's DNS.</summary>
/// <remarks>The switch leads here what they send to the cluster's DNS by UDP. They come by their aliases, so it is known who asks.</remarks>
public sealed partial class TenantDns(AgentLoop loop, TimeProvider time, ILogger<TenantDns> logger)
{
    /// <summary>The UDP port.</summary>
    public const int Port = 10053;

    private const int LargestMessage = 4096;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Serves until cancelled.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll(ServeAsync(BridgePorts.DnsV4, ct), ServeAsync(BridgePorts.DnsV6, ct));

    private async Task ServeAsync(IPAddress address, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                socket.Bind(new IPEndPoint(address, Port));
                await ReceiveAsync(socket, ct).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                // The gateway has its addresses only once the first plan is applied.
                LogNotYet(logger, address, e.Message);
                await Task.Delay(Retry, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ReceiveAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[LargestMessage];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            var received = await socket.ReceiveFromAsync(buffer, any, ct).ConfigureAwait(false);
            _ = AnswerAsync(socket, buffer[..received.ReceivedBytes], (IPEndPoint)received.RemoteEndPoint, ct);
        }
    }

    private async Task AnswerAsync(Socket socket, byte[] query, IPEndPoint from, CancellationToken ct)
    {
        try
        {
            var facts = loop.Published.Facts;
            var alias = from.Address.ToString();
            if (DnsMessage.Read(query) is not { } question
                || facts.Ports.Values.FirstOrDefault(p => p.Attachment.Aliases.Contains(alias)) is not { Attachment.NetworkKey: var key })
            {
                return;
            }

            var answer = TenantNames.Find(facts, key, question.Name) switch
            {
                { Count: > 0 } addresses => question.Answer(DnsMessage.NoError, addresses),
                not null => question.Answer(DnsMessage.NameError, []),
                null => await AskClusterAsync(facts, query, ct).ConfigureAwait(false) ?? question.Answer(DnsMessage.ServerFailure, []),
            };
            await socket.SendToAsync(answer, from, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The asker tries again; a name server owes no answer.
            LogLost(logger, from, e.Message);
        }
    }

    /// <summary>The cluster's own answer, or null when there is none in time.</summary>
    private static async Task<byte[]?> AskClusterAsync(NodeFacts facts, byte[] query, CancellationToken ct)
    {
        var server = facts.Slice.ClusterDns.Where(b => b is { Protocol: Protocol.Udp, ClusterIp: not null }).OrderBy(b => b.Id, StringComparer.Ordinal).FirstOrDefault();
        if (server is null || !IPAddress.TryParse(server.ClusterIp, out var address))
        {
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, server.Port), limit.Token).ConfigureAwait(false);
            await socket.SendAsync(query, limit.Token).ConfigureAwait(false);
            var buffer = new byte[LargestMessage];
            var length = await socket.ReceiveAsync(buffer, limit.Token).ConfigureAwait(false);
            return length >= 2 && buffer[0] == query[0] && buffer[1] == query[1] ? buffer[..length] : null;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // Refused, or silent: the asker is told that the server failed.
            return null;
        }
    }

    [LoggerMessage(3760, LogLevel.Debug, "DNS for tenants on {Address} not yet: {Reason}")]
    private static partial void LogNotYet(ILogger logger, IPAddress address, string reason);

    [LoggerMessage(3761, LogLevel.Debug, "A DNS question of {From} got no answer: {Reason}")]
    private static partial void LogLost(ILogger logger, IPEndPoint from, string reason);
}
