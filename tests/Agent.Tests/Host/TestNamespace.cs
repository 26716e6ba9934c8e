using Weft.TestSupport;

namespace Weft.Agent.Tests.Host;

/// <summary>A network namespace with a name of its own, removed at the end.</summary>
public sealed class TestNamespace : IAsyncDisposable
{
    private static int _count;

    private TestNamespace(string name) => Name = name;

    public string Name { get; }

    public string Path => $"/var/run/netns/{Name}";

    public static async Task<TestNamespace> CreateAsync()
    {
        var netns = new TestNamespace($"wh{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        await ChildProcess.RunAsync("ip", ["netns", "add", netns.Name]);
        await netns.IpAsync("link set lo up");
        return netns;
    }

    /// <summary>Runs <c>ip ARGUMENTS</c> inside.</summary>
    public Task<string> IpAsync(string arguments) => ChildProcess.RunAsync("ip", ["-n", Name, .. arguments.Split(' ')]);

    /// <summary>Runs a program inside.</summary>
    public Task<string> RunAsync(string commandLine, string? input = null) =>
        ChildProcess.RunAsync("ip", ["netns", "exec", Name, .. commandLine.Split(' ')], input: input);

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path))
        {
            await ChildProcess.RunAsync("ip", ["netns", "del", Name]);
        }
    }
}
