namespace Weft.Agent.Host.Isolation;

/// <summary>Which processes of a node's host network reach the tenant pods of that node by their aliases.</summary>
public enum HostAccess
{
    /// <summary>The kubelet, for its probes.</summary>
    Kubelet,

    /// <summary>All.</summary>
    Any,

    /// <summary>None: probes by HTTP, TCP and gRPC fail.</summary>
    None,
}
