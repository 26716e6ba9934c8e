using System.Net.Sockets;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Cni;

/// <summary>One question to the agent: one JSON line each way over its unix socket (docs/design/data-flow.md).</summary>
internal static class AgentClient
{
    // Far more than a result can be; a broken peer must not fill the memory.
    private const int LongestReply = 4 << 20;

    // Longer than any agent takes, shorter than the runtimes' own limit of some minutes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(110);

    /// <exception cref="CniError">Code 11 when no agent answers; 5 when the answer is damaged.</exception>
    public static CniReply Ask(string socketPath, CniRequest request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            socket.SendTimeout = socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            Send(socket, request);
            return Decode(Receive(socket), socketPath);
        }
        catch (SocketException e)
        {
            throw NotRunning(socketPath, e.SocketErrorCode.ToString());
        }
    }

    private static void Send(Socket socket, CniRequest request)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, CniJsonContext.Default.CniRequest);
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        for (var sent = 0; sent < json.Length;)
        {
            sent += socket.Send(json.AsSpan(sent));
        }
    }

    private static ReadOnlySpan<byte> Receive(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            if (read == 0)
            {
                return buffer.AsSpan(0, length);
            }

            var end = buffer.AsSpan(length, read).IndexOf((byte)'\n');
            if (end >= 0)
            {
                return buffer.AsSpan(0, length + end);
            }

            length += read;
            if (length > LongestReply)
            {
                throw new CniError(CniErrorCode.InputOutput, "the Weft agent's answer does not end", "Look into the agent's log on this node.");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, length * 2);
            }
        }
    }

    private static CniReply Decode(ReadOnlySpan<byte> line, string socketPath)
    {
        if (line.IsEmpty)
        {
            throw NotRunning(socketPath, "the agent closed the connection without an answer");
        }

        try
        {
            return JsonSerializer.Deserialize(line, CniJsonContext.Default.CniReply)
                ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            throw new CniError(
                CniErrorCode.InputOutput,
                "the Weft agent's answer cannot be read",
                "Plugin and agent do not fit together: install the plugin of the agent's version.");
        }
    }

    private static CniError NotRunning(string socketPath, string why) => new(
        CniErrorCode.TryAgainLater,
        $"the Weft agent on this node does not answer on {socketPath}: {why}",
        "Wait until the weft-agent pod of this node is Ready, or look at its log; the runtime tries again by itself.");
}
