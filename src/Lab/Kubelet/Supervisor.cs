using System.Globalization;
using System.Net;
using Weft.Lab.Cluster;
using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>The process that plays the kubelet of every node of a lab.</summary>
public static class Supervisor
{
    /// <summary>Runs until cancelled.</summary>
    /// <param name="layout">The lab.</param>
    /// <param name="cni">The CNI plugin.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task RunAsync(LabLayout layout, string cni, CancellationToken ct)
    {
        var state = LabState.Read(layout) ?? throw new LabException($"there is no lab '{layout.Name}': start one with scripts/lab up");
        using var api = ClusterAccess.Open(layout, state.Options);
        try
        {
            await Task.WhenAll(state.Nodes.Select((node, i) => new HollowKubelet(Context(layout, state, api, cni, node, i + 1)).RunAsync(ct)));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private static KubeletContext Context(LabLayout layout, LabState state, ClusterApi api, string cni, string node, int index) => new()
    {
        Layout = layout,
        Node = node,
        Netns = layout.Node(node),
        Addresses = [IPAddress.Parse(Underlay.V4(Underlay.NodeHost(index))), IPAddress.Parse(Underlay.V6(Underlay.NodeHost(index)))],
        Api = api,
        Cni = new CniCall(cni, layout.CniSocket(node), layout.Node(node)),
        PodsCgroup = state.Cgroups?.Folder("pods"),
        Log = text => Console.WriteLine(
            $"{DateTimeOffset.UtcNow.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)} {node}: {text}"),
    };
}
