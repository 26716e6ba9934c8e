using System.Net;
using System.Net.Sockets;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Ctl.WhatIf;

/// <summary>Puts pods on nodes and gives them addresses where manifests do not say: what a cluster would have done.</summary>
/// <remarks>
/// A pod without <c>spec.nodeName</c> goes to the first node; where there is no Node at all, one is made up. Addresses made up are
/// 10.244.x.y and fd00:10:244::x:y for pods, 100.127.x.y and fd00:100:127::x:y for nodes, never one that a manifest has.
/// </remarks>
internal sealed class Placement
{
    private const string MadeUpNode = "node-1";

    private readonly HashSet<IPAddress> _taken = [];
    private readonly Dictionary<string, NodeEndpoint> _nodes = new(StringComparer.Ordinal);
    private int _next;

    private Placement()
    {
    }

    /// <summary>The nodes, with an address of each family.</summary>
    public IReadOnlyCollection<NodeEndpoint> Nodes => _nodes.Values;

    /// <summary>The pods that run, by id; those that ended have no network.</summary>
    public List<VirtualPod> Pods { get; } = [];

    /// <summary>Places everything.</summary>
    /// <exception cref="ManifestException">An address is none, or belongs to two.</exception>
    public static Placement Of(Manifests manifests)
    {
        var placement = new Placement();
        var pods = manifests.Objects.Where(m => m.Object is V1Pod pod && pod.Status?.Phase is not ("Succeeded" or "Failed")).ToList();
        foreach (var pod in pods)
        {
            placement.Reserve((V1Pod)pod.Object, pod.Where);
        }

        var nodes = manifests.Objects.Select(m => m.Object).OfType<V1Node>().ToList();
        nodes.ForEach(n => placement.AddNode(n.Metadata.Name!, n));
        var first = nodes.Count > 0 ? nodes[0].Metadata.Name! : MadeUpNode;
        foreach (var pod in pods.GroupBy(p => IdOf(p.Object.Metadata), StringComparer.Ordinal).Select(g => (V1Pod)g.Last().Object))
        {
            placement.AddPod(pod, pod.Spec?.NodeName is { Length: > 0 } named ? named : first);
        }

        return placement;
    }

    internal static string IdOf(V1ObjectMeta metadata) => $"{metadata.NamespaceProperty ?? "default"}/{metadata.Name}";

    private static IEnumerable<string> AddressesOf(V1PodStatus? status) =>
        status?.PodIPs is { Count: > 0 } all ? all.Select(a => a.Ip ?? "") : status?.PodIP is { Length: > 0 } one ? [one] : [];

    private void Reserve(V1Pod pod, string where)
    {
        foreach (var text in AddressesOf(pod.Status))
        {
            if (!IPAddress.TryParse(text, out var address))
            {
                throw new ManifestException($"{where}: status.podIPs has '{text}': it must be an IPv4 or IPv6 address");
            }

            if (!_taken.Add(address) && pod.Spec?.HostNetwork != true)
            {
                throw new ManifestException($"{where}: status.podIPs has {text}, which another running pod has too: give each its own, or leave status out");
            }
        }
    }

    private NodeEndpoint AddNode(string name, V1Node? manifest)
    {
        if (_nodes.TryGetValue(name, out var known))
        {
            return known;
        }

        var given = (manifest?.Status?.Addresses ?? []).Where(a => a.Type == "InternalIP").Select(a => a.Address).OfType<string>().Where(a => IPAddress.TryParse(a, out _)).ToList();
        var number = _nodes.Count + 1;
        List<string> made = [.. given];
        if (!given.Any(a => !a.Contains(':', StringComparison.Ordinal)))
        {
            made.Insert(0, $"100.127.{number >> 8}.{number & 0xff}");
        }

        if (!given.Any(a => a.Contains(':', StringComparison.Ordinal)))
        {
            made.Add($"fd00:100:127::{number:x}");
        }

        return _nodes[name] = new NodeEndpoint { Id = name, Addresses = made.ToEquatableArray() };
    }

    private void AddPod(V1Pod pod, string nodeName)
    {
        var node = AddNode(nodeName, null);
        var given = AddressesOf(pod.Status).Select(IPAddress.Parse).ToList();
        if (pod.Spec?.HostNetwork == true)
        {
            Pods.Add(new VirtualPod(IdOf(pod.Metadata), nodeName, [.. node.Addresses.Select(IPAddress.Parse)], 0, pod));
            return;
        }

        Pods.Add(new VirtualPod(IdOf(pod.Metadata), nodeName, given.Count > 0 ? given : MakeUp(), Pods.Count(p => p.Node == nodeName) + 1, pod));
    }

    private IReadOnlyList<IPAddress> MakeUp()
    {
        while (true)
        {
            _next++;
            var v4 = IPAddress.Parse($"10.244.{_next >> 8}.{_next & 0xff}");
            var v6 = IPAddress.Parse($"fd00:10:244::{_next:x}");
            if ((_next & 0xff) is not (0 or 255) && !_taken.Contains(v4) && !_taken.Contains(v6))
            {
                return [v4, v6];
            }
        }
    }
}
