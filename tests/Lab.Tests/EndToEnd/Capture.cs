using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What tcpdump sees on an interface, as text.</summary>
public sealed class Capture : IAsyncDisposable
{
    private readonly ChildProcess _tcpdump;

    private Capture(ChildProcess tcpdump) => _tcpdump = tcpdump;

    /// <summary>Everything printed so far.</summary>
    public string Text => _tcpdump.Output;

    /// <summary>Returns when it listens.</summary>
    public static async Task<Capture> StartAsync(Netns netns, string device, string filter)
    {
        var command = netns.Wrap([Shell.Find("tcpdump"), "-i", device, "-e", "-n", "-l", "-v", "-s", "400", "--immediate-mode", filter]).ToList();
        var tcpdump = ChildProcess.Start(command[0], command[1..]);
        await Eventually.True("tcpdump listening", () => tcpdump.Output.Contains("listening on", StringComparison.Ordinal));
        return new Capture(tcpdump);
    }

    /// <summary>Waits until a line has all of these.</summary>
    public Task SeesAsync(string what, params string[] parts) =>
        Eventually.True($"{what}; tcpdump saw:\n{Text}", () => Text.Split('\n').Any(l => parts.All(p => l.Contains(p, StringComparison.Ordinal))),
            TimeSpan.FromSeconds(5));

    public ValueTask DisposeAsync() => _tcpdump.DisposeAsync();
}
