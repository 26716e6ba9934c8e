namespace Weft.Lab.Kubelet;

/// <summary>What the hollow kubelet tells about a pod beyond its status.</summary>
public static class Annotations
{
    /// <summary>How long the successful ADD took, milliseconds, the plugin's start included.</summary>
    public const string CniAddMilliseconds = "lab.weft.dev/cni-add-ms";

    /// <summary>The name of the pod's network namespace on this machine.</summary>
    public const string Netns = "lab.weft.dev/netns";
}
