using System.Text;
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
        try
        {
            using var connection = new AgentConnection(socketPath, Patience);
            connection.Send(Encode(request));
            return Decode(Receive(connection), socketPath);
        }
        catch (IOException e)
        {
            throw NotRunning(socketPath, e.Message);
        }
    }

    private static byte[] Encode(CniRequest request) => Encoding.UTF8.GetBytes(new JsonLine()
        .Add("version", request.Version).Add("command", request.Command).Add("containerId", request.ContainerId).Add("netns", request.Netns)
        .Add("ifName", request.IfName).Add("args", request.Args).Add("path", request.Path).Add("config", request.Config) + "\n");

    private static ReadOnlySpan<byte> Receive(AgentConnection connection)
    {
        var buffer = new byte[16 * 1024];
        var length = 0;
        while (true)
        {
            var read = connection.Receive(buffer.AsSpan(length));
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
            return Read(line);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: an escaped half of a surrogate pair.
            throw new CniError(
                CniErrorCode.InputOutput,
                "the Weft agent's answer cannot be read",
                "Plugin and agent do not fit together: install the plugin of the agent's version.");
        }
    }

    /// <summary>Unknown fields are left out, as the exchange wants it.</summary>
    private static CniReply Read(ReadOnlySpan<byte> line)
    {
        var reply = new CniReply();
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("not an object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("exitCode"))
            {
                reader.Read();
                reply.ExitCode = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var code) ? code : throw new JsonException("exitCode");
            }
            else if (reader.ValueTextEquals("output"))
            {
                reader.Read();
                reply.Output = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("output");
            }
            else
            {
                reader.Skip();
            }
        }

        // Anything behind the object is an error, which the reader tells.
        reader.Read();
        return reply;
    }

    private static CniError NotRunning(string socketPath, string why) => new(
        CniErrorCode.TryAgainLater,
        $"the Weft agent on this node does not answer on {socketPath}: {why}",
        "Wait until the weft-agent pod of this node is Ready, or look at its log; the runtime tries again by itself.");
}
