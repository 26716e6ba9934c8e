using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>How the lab's own processes reach the cluster's API.</summary>
public static class ClusterAccess
{
    /// <summary>Over the socket of the lab's API server, or as the given kubeconfig says.</summary>
    public static ClusterApi Open(LabLayout layout, LabOptions options) =>
        options.Kubeconfig is { } file ? throw new LabException($"--kubeconfig {file}: not there yet") : ClusterApi.OverSocket(layout.ApiSocket);
}
