using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>Ends a lab and removes everything of it, by what is there, not by what was written down: it also cleans up after a kill.</summary>
public static class LabRemoval
{
    /// <summary>Ends the lab of this name; no lab is no error.</summary>
    public static async Task DownAsync(LabLayout layout, CancellationToken ct)
    {
        using (LabLock.Take(layout))
        {
            await ForgetNodesAsync(layout, ct);
            await RemoveAsync(layout, ct);
            File.Delete(layout.LockFile);
        }
    }

    /// <summary>Takes the lab's nodes out of a cluster that was there before the lab and stays.</summary>
    private static async Task ForgetNodesAsync(LabLayout layout, CancellationToken ct)
    {
        if (LabState.Read(layout) is not { Options.Kubeconfig: { } file } state)
        {
            return;
        }

        try
        {
            using var api = ClusterAccess.Open(layout, state.Options);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            foreach (var node in state.Nodes)
            {
                await api.DeleteAsync($"/api/v1/nodes/{node}", limit.Token);
            }
        }
        catch (Exception e) when (e is HttpRequestException or ClusterApiException or LabException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"the nodes of the lab stay in the cluster of {file}: {e.Message}");
        }
    }

    internal static async Task RemoveAsync(LabLayout layout, CancellationToken ct)
    {
        // A process can start another one while we look: until nothing is found. Nothing of a lab needs a polite end,
        // its state goes with it.
        while (ProcessTable.OfLab(layout.Name) is { Count: > 0 } processes)
        {
            await ProcessTable.EndAsync(processes, TimeSpan.Zero, ct);
        }

        var namespaces = layout.ExistingNamespaces();
        await ProcessTable.EndAsync(ProcessTable.InNamespaces(namespaces), TimeSpan.Zero, ct);
        if (namespaces.Count > 0)
        {
            // Links, addresses, routes and nft tables end with their namespace.
            await Shell.RunAsync("ip", ["-batch", "-"], string.Concat(namespaces.Select(ns => $"netns delete {ns.Name}\n")), ct);
        }

        await LabCgroups.RemoveAsync(layout, ct);
        if (Directory.Exists(layout.Folder))
        {
            Directory.Delete(layout.Folder, recursive: true);
        }
    }
}
