using System.Net;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>What everything on one node shares.</summary>
internal sealed record KubeletContext
{
    public required LabLayout Layout { get; init; }

    public required string Node { get; init; }

    public required Netns Netns { get; init; }

    /// <summary>The node's addresses, IPv4 first.</summary>
    public required IReadOnlyList<IPAddress> Addresses { get; init; }

    public required ClusterApi Api { get; init; }

    public required CniCall Cni { get; init; }

    /// <summary>The folder of the cgroup of pods' processes; null: they stay in the kubelet's.</summary>
    public string? PodsCgroup { get; init; }

    public required Action<string> Log { get; init; }

    /// <summary>The command that runs another apart from the kubelet, in the pods' cgroup.</summary>
    public IEnumerable<string> OfPods(IEnumerable<string> command) => PodsCgroup is { } folder
        ? ["sh", "-c", """echo 0 >"$1/cgroup.procs" && shift && exec "$@" """, "sh", folder, .. command]
        : command;

    /// <summary>Where a pod's container writes its output.</summary>
    public string ContainerLog(PodSpec pod, string container) =>
        Path.Combine(Layout.Folder, "pods", $"{pod.Namespace}_{pod.Name}_{container}.log");
}
