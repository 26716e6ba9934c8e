using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Lab.Net;

/// <summary>A named network namespace (<c>/run/netns/NAME</c>, as <c>ip netns</c> makes it).</summary>
public sealed partial record Netns(string Name)
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>Where named namespaces live.</summary>
    public const string Folder = "/run/netns";

    /// <summary>The file that holds the namespace.</summary>
    public string Path => $"{Folder}/{Name}";

    /// <summary>True while the namespace has its name.</summary>
    public bool Exists => File.Exists(Path);

    /// <summary>Makes the namespace and brings its loopback up.</summary>
    public async Task CreateAsync(CancellationToken ct)
    {
        await Shell.RunAsync("ip", ["netns", "add", Name], ct: ct);
        await IpAsync(ct, "link set lo up");
    }

    /// <summary>Removes the name; the namespace ends with its last process. A missing one is no error.</summary>
    public async Task DeleteAsync(CancellationToken ct)
    {
        if (Exists)
        {
            await Shell.RunAsync("ip", ["netns", "delete", Name], ct: ct);
        }
    }

    /// <summary>Runs <c>ip</c> commands in the namespace, all in one process, in order, up to the first that fails.</summary>
    public Task IpAsync(CancellationToken ct, params string[] commands) =>
        Shell.RunAsync("ip", ["-netns", Name, "-batch", "-"], string.Join('\n', commands) + "\n", ct);

    /// <summary>Sets <c>/proc/sys/net</c> values of the namespace. Names use '/', for example <c>ipv4/ip_forward</c>.</summary>
    public Task SetAsync(params (string Name, string Value)[] values) => RunInsideAsync(() =>
    {
        foreach (var (name, value) in values)
        {
            File.WriteAllText($"/proc/sys/net/{name}", value);
        }

        return true;
    });

    /// <summary>Runs <paramref name="work"/> on a thread of its own inside the namespace. Sockets made there stay there.</summary>
    /// <exception cref="LabException">The namespace does not exist or cannot be entered.</exception>
    public Task<T> RunInsideAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                var result = RunInside(work);
                done.SetResult(result);
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        {
            IsBackground = true,
            Name = $"netns {Name}",
        };
        thread.Start();
        return done.Task;
    }

    // The thread goes back before it tells anybody: that can make the runtime start a pool thread, which would inherit the namespace.
    private T RunInside<T>(Func<T> work)
    {
        using var own = File.OpenHandle("/proc/thread-self/ns/net");
        Enter();
        try
        {
            return work();
        }
        finally
        {
            SetNs(own);
        }
    }

    /// <summary>The command line that starts a program inside the namespace (same process id, same mount namespace).</summary>
    public IEnumerable<string> Wrap(IEnumerable<string> command) => ["nsenter", $"--net={Path}", "--", .. command];

    private void Enter()
    {
        try
        {
            using var handle = File.OpenHandle(Path);
            SetNs(handle);
        }
        catch (FileNotFoundException e)
        {
            throw new LabException($"there is no network namespace {Name}", e);
        }
    }

    private void SetNs(SafeFileHandle handle)
    {
        if (SetNs((int)handle.DangerousGetHandle(), CloneNewNet) != 0)
        {
            throw new LabException($"cannot enter or leave the network namespace {Name}: {Marshal.GetLastPInvokeErrorMessage()} (root is needed)");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int fd, int kind);
}
