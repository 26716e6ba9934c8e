using System.Globalization;
using Weft.Lab.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Kubelet;

/// <summary>The lab's built-in server, <c>weft-serve --tcp=PORT[,PORT] --udp=PORT[,PORT] --grpc=PORT[,PORT]</c>: runs inside the kubelet, costs no process.</summary>
internal sealed class ServingContainer : IRunningContainer
{
    /// <summary>The command's first word.</summary>
    public const string Command = "weft-serve";

    private static readonly string[] Kinds = ["--tcp=", "--udp=", "--grpc="];

    private readonly TaskCompletionSource<int> _ended = new();
    private readonly List<IAsyncDisposable> _servers = [];

    private ServingContainer()
    {
    }

    public Task<int> Ended => _ended.Task;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">A port is taken.</exception>
    public static async Task<ServingContainer> StartAsync(Netns netns, string name, IReadOnlyList<string> command)
    {
        foreach (var argument in command.Skip(1))
        {
            if (!Kinds.Any(k => argument.StartsWith(k, StringComparison.Ordinal)))
            {
                throw new FormatException($"{Command} does not understand '{argument}': it takes --tcp=PORT[,PORT], --udp=PORT[,PORT] and --grpc=PORT[,PORT]");
            }
        }

        var container = new ServingContainer();
        try
        {
            container._servers.Add(await ProbeServer.StartAsync(netns, name, Ports(Kinds[0]), Ports(Kinds[1])));
            foreach (var port in Ports(Kinds[2]))
            {
                container._servers.Add(await GrpcHealthServer.StartAsync(netns, port));
            }

            return container;
        }
        catch
        {
            await container.StopAsync(TimeSpan.Zero);
            throw;
        }

        IEnumerable<int> Ports(string prefix) => command
            .Where(a => a.StartsWith(prefix, StringComparison.Ordinal))
            .SelectMany(a => a[prefix.Length..].Split(','))
            .Select(p => int.Parse(p, CultureInfo.InvariantCulture));
    }

    public async Task StopAsync(TimeSpan grace)
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _ended.TrySetResult(0);
    }
}
