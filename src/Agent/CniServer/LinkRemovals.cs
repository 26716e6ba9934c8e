using System.Collections.Concurrent;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>Removes interfaces, and tells as soon as they are gone.</summary>
/// <remarks>The kernel takes an interface out of service and out of its lists within a millisecond or two, and says so (RTM_DELLINK); but the
/// call that asked for it returns only after an RCU barrier, some 10 to 30 ms later, in which nothing that matters to a pod happens.</remarks>
internal sealed class LinkRemovals : IDisposable
{
    private readonly string? _netns;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _awaited = [];
    private readonly NetlinkWatcher _watcher;

    public LinkRemovals(string? netns)
    {
        _netns = netns;
        _watcher = NetlinkWatcher.OfLinks(netns, Notice);
    }

    /// <summary>Removes an interface. One that does not exist is no error.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public async Task RemoveAsync(string name)
    {
        var gone = _awaited.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Task call = PodLinks.Threads.RunAsync(() => (Remove(name), Keep: true));
        try
        {
            // Without the interface, or without the event (lost), the call's own end counts.
            await (await Task.WhenAny(gone.Task, call).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            _awaited.TryRemove(name, out _);
        }
    }

    public void Dispose() => _watcher.Dispose();

    private bool Remove(string name)
    {
        using var netlink = RouteNetlink.Open(_netns);
        var batch = new NetlinkBatch();
        RouteNetlink.DeleteLink(batch, name);
        netlink.Execute(batch);
        return true;
    }

    private void Notice(ReadOnlySpan<byte> datagram)
    {
        while (NetlinkMessage.TryRead(ref datagram, out var message))
        {
            if (RouteNetlink.RemovedLink(message) is { } name && _awaited.TryGetValue(name, out var waiting))
            {
                waiting.TrySetResult();
            }
        }
    }
}
