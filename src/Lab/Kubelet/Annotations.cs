namespace Weft.Lab.Kubelet;

/// <summary>What the hollow kubelet tells about a pod beyond its status, and is asked for beyond its spec.</summary>
public static class Annotations
{
    /// <summary>How long the successful ADD took, milliseconds, the plugin's start included.</summary>
    public const string CniAddMilliseconds = "lab.weft.dev/cni-add-ms";

    /// <summary>The name of the pod's network namespace on this machine.</summary>
    public const string Netns = "lab.weft.dev/netns";

    /// <summary>Addresses that the pod is to have, comma separated: given to the plugin as a runtime does with the capability <c>ips</c>.</summary>
    public const string Ips = "lab.weft.dev/ips";
}
