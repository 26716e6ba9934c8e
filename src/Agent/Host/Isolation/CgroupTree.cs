using System.Runtime.InteropServices;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host.Isolation;

/// <summary>The host's cgroup v2 hierarchy, seen from the host's cgroup namespace.</summary>
/// <remarks>
/// A container has a cgroup namespace of its own. Paths in /proc/PID/cgroup are told from the reader's namespace, and since Linux 6.11
/// nftables counts the level in <c>socket cgroupv2 level N</c> from the namespace of whoever loads the rule. So both are done by a thread
/// that has entered the host's.
/// </remarks>
/// <param name="proc">The host's /proc; empty: the caller's namespace is the host's.</param>
/// <param name="folder">Where the hierarchy is mounted; in a hybrid set-up <c>unified</c> below it.</param>
internal sealed class CgroupTree(string proc, string folder)
{
    // Threads end after a visit: coming here is rare, and a thread in the wrong namespace must not be met again.
    private static readonly KeptThreads Visitors = new("host cgroups", kept: 0);

    // A process of a container stays where it was started.
    private string? _own;

    /// <summary>Where processes of the host are listed.</summary>
    public string Proc => proc.Length == 0 ? "/proc" : proc;

    /// <summary>The root of the hierarchy.</summary>
    /// <exception cref="IsolationException">There is no cgroup v2.</exception>
    public string Root()
    {
        foreach (var root in new[] { folder, Path.Combine(folder, "unified") })
        {
            if (File.Exists(Path.Combine(root, "cgroup.controllers")))
            {
                return root;
            }
        }

        throw new IsolationException($"there is no cgroup v2 at {folder}; boot the node with cgroup v2 (systemd.unified_cgroup_hierarchy=1), and mount the node's /sys/fs/cgroup there");
    }

    /// <summary>The folder of a cgroup.</summary>
    public string FolderOf(string path) => Path.Combine(Root(), path.TrimStart('/'));

    /// <summary>The cgroup's id, by which the kernel compares; null: there is none of this path.</summary>
    public ulong? IdOf(string path) => LinuxNative.Inode(FolderOf(path));

    /// <summary>How many steps a cgroup is below the root.</summary>
    public static int LevelOf(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>The path of this process's own cgroup.</summary>
    /// <exception cref="IsolationException">There is no cgroup v2, or it is not below the root.</exception>
    public string Own() => _own ??= Visit(null, () => Read("/proc/thread-self/cgroup")) switch
    {
        null => throw new IsolationException("this process has no cgroup v2; boot the node with cgroup v2 (systemd.unified_cgroup_hierarchy=1)"),
        var path when path.Split('/').Contains("..") => throw new IsolationException($"this process is in cgroup {path}, outside of the namespace of {Proc}/1; mount the host's /proc at {Proc}"),
        var path => path,
    };

    /// <summary>The path in a file such as /proc/PID/cgroup; null when it is gone or has none of v2. To be called in <see cref="Visit"/>.</summary>
    public static string? Read(string file)
    {
        const string v2 = "0::";
        try
        {
            return File.ReadLines(file).FirstOrDefault(l => l.StartsWith(v2, StringComparison.Ordinal))?[v2.Length..].Replace(" (deleted)", "", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process ended.
            return null;
        }
    }

    /// <summary>Runs work on a thread in the host's cgroup namespace.</summary>
    /// <param name="netns">The network namespace to be in; null: the process's own.</param>
    /// <param name="work">Must not be asynchronous. A process that it starts is in the same namespaces.</param>
    /// <exception cref="IsolationException">The namespace cannot be entered.</exception>
    public T Visit<T>(string? netns, Func<T> work) => Visitors.RunAsync(() =>
    {
        if (proc.Length > 0)
        {
            Enter(Path.Combine(proc, "1/ns/cgroup"), LinuxNative.CloneNewCgroup);
        }

        if (netns is not null)
        {
            Enter(netns, LinuxNative.CloneNewNet);
        }

        return (work(), Keep: false);
    }).GetAwaiter().GetResult();

    private static void Enter(string path, int kind)
    {
        using var handle = LinuxNative.OpenForReading(path);
        if (handle.IsInvalid || LinuxNative.SetNamespace(handle, kind) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            throw new IsolationException(
                $"the namespace {path} cannot be {(handle.IsInvalid ? "opened" : "entered")} ({Errno.Name(error)}); the agent needs the host's /proc there, SYS_PTRACE, SYS_ADMIN, and AppArmor 'Unconfined', as in the chart");
        }
    }
}
