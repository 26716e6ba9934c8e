using System.Net;
using Weft.Kubernetes;

namespace Weft.Ctl.WhatIf;

/// <summary>A pod of a <see cref="VirtualCluster"/>.</summary>
/// <param name="Id"><c>namespace/name</c>.</param>
/// <param name="Node">The node that it runs on.</param>
/// <param name="Addresses">Its addresses, in the order of <c>status.podIPs</c>.</param>
/// <param name="Port">Its OpenFlow port on that node; 0 for a pod of the host's network.</param>
/// <param name="Manifest">What it was made from.</param>
public sealed record VirtualPod(string Id, string Node, IReadOnlyList<IPAddress> Addresses, int Port, V1Pod Manifest)
{
    /// <summary>It has no network of its own: policies cannot select it, and to others it is its node.</summary>
    public bool OnHost => Port == 0;

    /// <summary>Its MAC address; the same number on two nodes is no harm.</summary>
    public string Mac => $"0a:58:00:00:{Port >> 8:x2}:{Port & 0xff:x2}";

    /// <summary>The port's id in the facts.</summary>
    public string ContainerId => Id.Replace('/', '.');
}
