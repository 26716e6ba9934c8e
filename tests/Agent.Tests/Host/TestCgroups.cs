using System.Globalization;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Host;

/// <summary>A cgroup of this machine for one test, and processes in cgroups below it.</summary>
public sealed class TestCgroups : IAsyncDisposable
{
    private static int _count;
    private readonly string? _mounted;

    private TestCgroups(string root, string? mounted)
    {
        (Root, _mounted) = (root, mounted);
        Path = string.Create(CultureInfo.InvariantCulture, $"weft-test-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        Directory.CreateDirectory(Folder);
    }

    /// <summary>Where the hierarchy is mounted.</summary>
    public string Root { get; }

    /// <summary>The test's cgroup, from the root.</summary>
    public string Path { get; }

    public string Folder => System.IO.Path.Combine(Root, Path);

    /// <summary>Uses the machine's cgroup v2, mounts it where it is not, and lets the test be where neither can be done.</summary>
    public static async Task<TestCgroups> CreateAsync()
    {
        foreach (var folder in new[] { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" }.Where(f => File.Exists(f + "/cgroup.controllers")))
        {
            try
            {
                return new TestCgroups(folder, null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                TestContext.Out.WriteLine($"{folder} cannot be written: {e.Message}");
            }
        }

        var own = Directory.CreateTempSubdirectory("weft-cgroup").FullName;
        try
        {
            await ChildProcess.RunAsync("mount", ["-t", "cgroup2", "none", own]);
            return new TestCgroups(own, own);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            Assert.Ignore($"cgroup v2 can be neither written nor mounted here: {e.Message}");
            throw;
        }
    }

    /// <summary>Makes a cgroup below the test's.</summary>
    public void Make(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Folder, name));

    /// <summary>Makes it anew, as a service manager does for a service that restarts.</summary>
    public async Task RenewAsync(string name)
    {
        await RemoveAsync(System.IO.Path.Combine(Folder, name));
        Make(name);
    }

    /// <summary>Removes a cgroup whose processes have ended: the kernel counts each until somebody has taken note of its end.</summary>
    public static Task RemoveAsync(string folder) => Eventually.True($"{folder} empty and removed", () =>
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }, TimeSpan.FromSeconds(20));

    /// <summary>The command that runs another inside a cgroup and a network namespace.</summary>
    public string[] Inside(string name, TestNamespace netns, params string[] command) =>
        ["sh", "-c", """echo 0 > "$1/cgroup.procs" && shift && exec "$@" """, "sh", System.IO.Path.Combine(Folder, name), "nsenter", $"--net={netns.Path}", "--", .. command];

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in Directory.GetDirectories(Folder, "*", SearchOption.AllDirectories).OrderByDescending(f => f.Length).Append(Folder))
        {
            await RemoveAsync(folder);
        }

        if (_mounted is not null)
        {
            await ChildProcess.RunAsync("umount", [_mounted]);
            Directory.Delete(_mounted);
        }
    }
}
