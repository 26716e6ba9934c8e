using System.Globalization;
using Weft.Lab.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Kubelet;

/// <summary>The lab's built-in server, <c>weft-serve --tcp=PORT[,PORT] --udp=PORT[,PORT]</c>: runs inside the kubelet, costs no process.</summary>
internal sealed class ServingContainer : IRunningContainer
{
    /// <summary>The command's first word.</summary>
    public const string Command = "weft-serve";

    private readonly TaskCompletionSource<int> _ended = new();
    private readonly ProbeServer _server;

    private ServingContainer(ProbeServer server) => _server = server;

    public Task<int> Ended => _ended.Task;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static async Task<ServingContainer> StartAsync(Netns netns, string name, IReadOnlyList<string> command)
    {
        foreach (var argument in command.Skip(1))
        {
            if (!argument.StartsWith("--tcp=", StringComparison.Ordinal) && !argument.StartsWith("--udp=", StringComparison.Ordinal))
            {
                throw new FormatException($"{Command} does not understand '{argument}': it takes --tcp=PORT[,PORT] and --udp=PORT[,PORT]");
            }
        }

        return new ServingContainer(await ProbeServer.StartAsync(netns, name, Ports("--tcp="), Ports("--udp=")));

        IEnumerable<int> Ports(string prefix) => command
            .Where(a => a.StartsWith(prefix, StringComparison.Ordinal))
            .SelectMany(a => a[prefix.Length..].Split(','))
            .Select(p => int.Parse(p, CultureInfo.InvariantCulture));
    }

    public async Task StopAsync(TimeSpan grace)
    {
        await _server.DisposeAsync();
        _ended.TrySetResult(0);
    }
}
