namespace Weft.Agent.Host.Isolation;

/// <summary>Tells at once when a cgroup is made anew (inotify): a service that restarts gets one with another id.</summary>
internal sealed class CgroupWatcher : IDisposable
{
    private readonly FileSystemWatcher _watcher;

    private CgroupWatcher(string path, FileSystemWatcher watcher) => (Path, _watcher) = (path, watcher);

    /// <summary>The cgroup's path from the root of the hierarchy.</summary>
    public string Path { get; }

    /// <summary>Starts to watch.</summary>
    /// <param name="path">The cgroup's path from the root of the hierarchy.</param>
    /// <param name="folder">Its folder, which need not be there.</param>
    /// <param name="changed">Called on any thread; must return soon and not throw.</param>
    /// <returns>Null when it cannot be watched, such as without any inotify instance left: who needs to know looks now and then, too.</returns>
    public static CgroupWatcher? TryOpen(string path, string folder, Action changed)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(System.IO.Path.GetDirectoryName(folder)!, System.IO.Path.GetFileName(folder)) { NotifyFilter = NotifyFilters.DirectoryName };
            watcher.Created += (_, _) => changed();
            watcher.EnableRaisingEvents = true;
            return new CgroupWatcher(path, watcher);
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher.Dispose();
}
