using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>Control groups of a lab, as a node has them: kubelet and pods apart, and agents in a cgroup namespace of their own, as in a container.</summary>
/// <param name="Root">Where the hierarchy is mounted.</param>
/// <param name="Path">The lab's cgroup from there.</param>
public sealed record LabCgroups(string Root, string Path)
{
    private static readonly string[] Mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    private static readonly string[] Names = ["kubelet", "pods", "agents"];

    /// <summary>The kubelets' cgroup, which they get anew whenever they start.</summary>
    public string Kubelet => $"{Path}/kubelet";

    /// <summary>The folder of one of the lab's cgroups.</summary>
    public string Folder(string name) => System.IO.Path.Combine(Root, Path, name);

    /// <summary>Makes the lab's cgroups; mounts cgroup v2 where the machine has none that can be written.</summary>
    /// <exception cref="LabException">They cannot be made; the message says why.</exception>
    public static async Task<LabCgroups> CreateAsync(LabLayout layout, CancellationToken ct)
    {
        var made = TryMake(layout, out var problem);
        if (made is null)
        {
            Directory.CreateDirectory(layout.CgroupMount);
            await Shell.RunAsync("mount", ["-t", "cgroup2", "none", layout.CgroupMount], ct: ct);
            made = TryMake(layout, out problem) ?? throw new LabException($"cgroup v2 cannot be written: {problem}");
        }

        // A name for the namespace that the nodes are in: agents enter it as that of the host's first process.
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(layout.CgroupNamespace)!);
        await File.WriteAllTextAsync(layout.CgroupNamespace, "", ct);
        await Shell.RunAsync("mount", ["-c", "--bind", "/proc/self/ns/cgroup", layout.CgroupNamespace], ct: ct);
        return made;
    }

    /// <summary>Removes what is there of a lab that has no processes any more.</summary>
    public static async Task RemoveAsync(LabLayout layout, CancellationToken ct)
    {
        foreach (var folder in Mounts.Append(layout.CgroupMount).Select(m => System.IO.Path.Combine(m, layout.Cgroup)).Where(Directory.Exists))
        {
            foreach (var part in Names.Select(n => System.IO.Path.Combine(folder, n)).Where(Directory.Exists).Append(folder))
            {
                await Wait.UntilAsync($"{part} still has processes", () => Task.FromResult(TryRemove(part)), () => "", TimeSpan.FromSeconds(5), ct);
            }
        }

        foreach (var mount in (string[])[layout.CgroupNamespace, layout.CgroupMount])
        {
            if ((await File.ReadAllLinesAsync("/proc/self/mountinfo", ct)).Any(l => l.Split(' ')[4] == mount))
            {
                await Shell.RunAsync("umount", [mount], ct: ct);
            }
        }

        if (Directory.Exists(layout.CgroupMount))
        {
            Directory.Delete(layout.CgroupMount);
        }

        if (Directory.Exists(layout.HostProc))
        {
            Directory.Delete(layout.HostProc, recursive: true);
        }
    }

    /// <summary>The command that runs another in the kubelets' cgroup, made anew: a service that restarts has one with another id.</summary>
    public IEnumerable<string> WrapKubelet(IEnumerable<string> command) =>
        ["sh", "-c", """rmdir "$1" 2>/dev/null; mkdir -p "$1"; echo 0 >"$1/cgroup.procs" && shift && exec "$@" """, "sh", Folder("kubelet"), .. command];

    /// <summary>The command that runs another as an agent's container does.</summary>
    public IEnumerable<string> WrapAgent(IEnumerable<string> command) =>
        ["sh", "-c", """echo 0 >"$1/cgroup.procs" && shift && exec unshare --cgroup -- "$@" """, "sh", Folder("agents"), .. command];

    private static LabCgroups? TryMake(LabLayout layout, out string problem)
    {
        problem = "there is none";
        foreach (var root in Mounts.Append(layout.CgroupMount).Where(m => File.Exists(System.IO.Path.Combine(m, "cgroup.controllers"))))
        {
            try
            {
                var made = new LabCgroups(root, layout.Cgroup);
                foreach (var name in Names)
                {
                    Directory.CreateDirectory(made.Folder(name));
                }

                return made;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
            }
        }

        return null;
    }

    private static bool TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            // The kernel counts a process that was ended until it is gone for good.
            return !Directory.Exists(folder);
        }
    }
}
