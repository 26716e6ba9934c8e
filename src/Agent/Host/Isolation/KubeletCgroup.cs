namespace Weft.Agent.Host.Isolation;

/// <summary>Finds the kubelet's cgroup.</summary>
/// <remarks>Not safe for concurrent use.</remarks>
/// <param name="tree">The host's cgroups.</param>
/// <param name="configured">The path that the administrator gave, or empty: that of the process named kubelet.</param>
/// <param name="memory">A file that keeps the path, so that an agent that starts while the kubelet is down does not take it for unknown.</param>
internal sealed class KubeletCgroup(CgroupTree tree, string configured, string memory)
{
    private const string ProcessName = "kubelet";
    private const string Remedy = "set tenants.kubeletCgroup to the path of its cgroup, such as system.slice/kubelet.service (cat /proc/PID/cgroup on the node)";
    private string? _remembered;
    private (string Pid, string StartTime)? _process;

    /// <summary>Where it is now.</summary>
    /// <returns>The path, and the cgroup's id; null while the kubelet is down.</returns>
    /// <exception cref="IsolationException">It is not known, or others are in it, too.</exception>
    public (string Path, ulong? Id) Find()
    {
        _remembered ??= Remember();
        var path = configured.Length > 0 ? "/" + configured.Trim('/') : tree.Visit(null, Discover);
        var id = tree.IdOf(path);
        if (id is null && path != _remembered)
        {
            throw new IsolationException($"the node has no cgroup {path}; {Remedy}");
        }

        RefuseShared(path);
        if (id is not null && path != _remembered)
        {
            _remembered = path;
            Save(path);
        }

        return (path, id);
    }

    private string Remember() => File.Exists(memory) ? File.ReadAllText(memory).Trim() : "";

    private void Save(string path)
    {
        try
        {
            File.WriteAllText(memory, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only an agent that starts while the kubelet is down misses it, and says so. A full disk is reported by those who cannot do without.
        }
    }

    private void RefuseShared(string path)
    {
        if (path == "/")
        {
            throw new IsolationException($"the kubelet is in the root cgroup, which everything is in; run it as a service with a cgroup of its own and {Remedy}");
        }

        // The agent is a pod itself, where it is in a container.
        var own = tree.Own();
        var folder = tree.FolderOf(path);
        var pods = own == path || own.StartsWith(path + "/", StringComparison.Ordinal) ? own
            : Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "kubepods*").FirstOrDefault()
            : null;
        if (pods is not null)
        {
            throw new IsolationException($"the kubelet's cgroup {path} has pods in it, too ({pods}); give the kubelet a cgroup of its own (kubeletCgroups in its configuration) and {Remedy}");
        }
    }

    private string Discover()
    {
        if (_process is { } known && StartTimeOf(known.Pid) == known.StartTime && CgroupOf(known.Pid) is { } still)
        {
            return still;
        }

        var found = Directory.EnumerateDirectories(tree.Proc).Select(Path.GetFileName).OfType<string>()
            .Where(pid => char.IsAsciiDigit(pid[0]) && IsKubelet(pid))
            .Select(pid => (Pid: pid, Path: CgroupOf(pid)))
            .Where(p => p.Path is not null && !IsOfPod(p.Path)).ToList();
        var paths = found.Select(p => p.Path!).Distinct(StringComparer.Ordinal).ToList();

        // Whoever calls itself kubelet later does not become it.
        var path = paths.Count == 1 ? paths[0]
            : _remembered is { Length: > 0 } && (paths.Count == 0 || paths.Contains(_remembered)) ? _remembered
            : throw new IsolationException(paths.Count == 0
                ? $"no process of the node is named {ProcessName} in {tree.Proc}; {Remedy}"
                : $"several processes are named {ProcessName}, in {string.Join(" and ", paths.Order(StringComparer.Ordinal))}; {Remedy}");
        var pid = found.FirstOrDefault(p => p.Path == path).Pid;
        _process = pid is not null && StartTimeOf(pid) is { } started ? (pid, started) : null;
        return path;
    }

    private string? CgroupOf(string pid) => CgroupTree.Read(Path.Combine(tree.Proc, pid, "cgroup"));

    /// <summary>A process of a container may have any name.</summary>
    private static bool IsOfPod(string path) => path.Split('/').Any(part => part.StartsWith("kubepods", StringComparison.Ordinal));

    /// <summary>In the host's process namespace; one of a container has an id in its own, too (NSpid in proc(5)).</summary>
    private bool IsKubelet(string pid) => ReadLines(pid, "comm").FirstOrDefault() == ProcessName
        && (ReadLines(pid, "status").FirstOrDefault(l => l.StartsWith("NSpid:", StringComparison.Ordinal))?.Split('\t', StringSplitOptions.RemoveEmptyEntries).Length ?? 2) == 2;

    /// <summary>Ticks since boot: field 22 of proc(5)'s stat, counted from behind the name, which may hold anything.</summary>
    private string? StartTimeOf(string pid) => ReadLines(pid, "stat").FirstOrDefault() is { } stat && stat.LastIndexOf(')') is > 0 and var end
        ? stat[(end + 2)..].Split(' ').ElementAtOrDefault(19)
        : null;

    private string[] ReadLines(string pid, string file)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(tree.Proc, pid, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process ended.
            return [];
        }
    }
}
