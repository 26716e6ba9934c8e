using Weft.Agent.CniServer.Leases;

namespace Weft.Agent.CniServer;

internal sealed partial class CniCommands
{
    /// <summary>DEL. Needs nothing but the names: namespace, pod and configuration may be gone. The address is free only when nothing can send from it any more.</summary>
    private async Task RemoveAsync(LeaseKey key, CancellationToken ct)
    {
        // Cut off first: once vswitchd sees the interface or its port go, it answers nobody for some milliseconds.
        var host = HostInterfaceOf(key);
        await network.IsolateAsync(key.ContainerId, key.IfName, ct).ConfigureAwait(false);
        var link = links.DeleteAsync(host);
        var port = network.DetachAsync(key.ContainerId, key.IfName, host, ct);
        await Task.WhenAll(link, port).ConfigureAwait(false);
        await leases.ReleaseAsync(key.ContainerId, key.IfName).ConfigureAwait(false);
    }

    private string HostInterfaceOf(LeaseKey key) => leases.Find(key.ContainerId, key.IfName)?.HostInterface
        ?? network.Attachments.FirstOrDefault(a => a.ContainerId == key.ContainerId && a.IfName == key.IfName)?.HostInterface
        ?? PodInterface.HostNameOf(key.ContainerId, key.IfName);

    /// <summary>GC: ends everything of this configuration that the runtime does not know (any more).</summary>
    private async Task CollectAsync(CniInvocation invocation, CancellationToken ct)
    {
        var valid = invocation.Config.ValidAttachments ?? throw new CniException(
            CniErrorCode.InvalidConfiguration, "cni.dev/valid-attachments is missing", "GC needs the list of attachments that the runtime knows; it may be empty");
        var known = leases.Leases.ToDictionary(l => l.Key, l => l.Configuration);
        foreach (var attachment in network.Attachments)
        {
            known.TryAdd(new LeaseKey(attachment.ContainerId, attachment.IfName), "");
        }

        var failures = new List<Exception>();
        foreach (var (key, configuration) in known)
        {
            // One that a command works on right now is alive, whatever the list says.
            if (valid.Contains(key) || (configuration.Length > 0 && configuration != invocation.Config.Name) || _busy.IsBusy(key))
            {
                continue;
            }

            try
            {
                using var held = await _busy.AcquireAsync(key, ct).ConfigureAwait(false);
                await RemoveAsync(key, ct).ConfigureAwait(false);
                Log.Collected(logger, key.ContainerId, key.IfName);
            }
            catch (CniException e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            throw new CniException(
                CniErrorCode.TryAgainLater, $"{failures.Count} attachments could not be removed: {failures[0].Message}", "run GC again", new AggregateException(failures));
        }
    }
}
