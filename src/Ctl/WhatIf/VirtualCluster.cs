using System.Net;
using System.Net.Sockets;
using Weft.Controller.Network;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Ctl.WhatIf;

/// <summary>A cluster made of manifests alone: the controller's own compiler, the agents' own plans, and the switches' pipeline in memory.</summary>
/// <remarks>Not safe for concurrent use; several clusters at once are.</remarks>
public sealed class VirtualCluster
{
    private readonly Dictionary<string, VirtualNode> _nodes;

    private VirtualCluster(IReadOnlyList<VirtualPod> pods, Dictionary<string, VirtualNode> nodes, IReadOnlyList<string> problems) =>
        (Pods, _nodes, Problems) = (pods, nodes, problems);

    /// <summary>The running pods, sorted by id.</summary>
    public IReadOnlyList<VirtualPod> Pods { get; }

    /// <summary>Rules that cannot be used, each with its place, what is done instead, and the remedy. The answers count with that.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>Compiles the manifests.</summary>
    /// <exception cref="ManifestException">Nothing of one of them can be used.</exception>
    public static VirtualCluster Of(Manifests manifests)
    {
        var placement = Placement.Of(manifests);
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        foreach (var node in placement.Nodes)
        {
            network.Upsert(NodeOf(node, manifests));
        }

        foreach (var name in NamespacesOf(manifests, placement))
        {
            network.Upsert(name);
        }

        foreach (var pod in placement.Pods.Where(p => !p.OnHost))
        {
            network.Upsert(PodOf(pod));
        }

        var problems = manifests.Objects.SelectMany(m => Take(network, m).Select(p => $"{m.Where}: {p}")).ToList();

        network.Commit();
        var nodes = placement.Nodes.ToDictionary(n => n.Id, n => VirtualNode.Of(n, placement, network.Snapshot(n.Id)), StringComparer.Ordinal);
        return new VirtualCluster([.. placement.Pods.OrderBy(p => p.Id, StringComparer.Ordinal)], nodes, problems);
    }

    /// <summary>Sends the first packet of a connection.</summary>
    /// <remarks>A pod always reaches itself (the packet never leaves it), and pods of one host's network each other.</remarks>
    /// <param name="from">The client.</param>
    /// <param name="to">The server.</param>
    /// <param name="port">The port.</param>
    /// <param name="family">The address family; null takes the first address of the server whose family the client has.</param>
    public Journey Send(VirtualPod from, VirtualPod to, PortQuestion port, AddressFamily? family = null)
    {
        if (from == to || (from.OnHost && to.OnHost && from.Node == to.Node))
        {
            return new Journey(true, []);
        }

        foreach (var target in to.Addresses.Where(a => (family ?? a.AddressFamily) == a.AddressFamily))
        {
            if (from.Addresses.FirstOrDefault(a => a.AddressFamily == target.AddressFamily) is { } source)
            {
                return Send(from, source, to, target, port);
            }
        }

        return new Journey(false, []);
    }

    private Journey Send(VirtualPod from, IPAddress source, VirtualPod to, IPAddress target, PortQuestion port)
    {
        var packet = new WirePacket(source, target, port);
        if (from.OnHost && to.OnHost)
        {
            return new Journey(true, []);
        }

        var first = _nodes[from.Node].FromPort(from, packet);
        var hops = new List<Hop> { new(from.Node, first) };
        if (from.Node == to.Node)
        {
            return new Journey(VirtualNode.Reached(first, to), hops);
        }

        if (!VirtualNode.Tunnelled(first))
        {
            return new Journey(false, hops);
        }

        var second = _nodes[to.Node].FromTunnel(packet);
        hops.Add(new(to.Node, second));
        return new Journey(VirtualNode.Reached(second, to), hops);
    }

    private static IReadOnlyList<string> Take(LogicalNetwork network, Manifest manifest)
    {
        try
        {
            switch (manifest.Object)
            {
                case V1NetworkPolicy policy:
                    policy.Metadata.NamespaceProperty ??= "default";
                    return network.Upsert(policy);
                case V1Alpha2ClusterNetworkPolicy policy:
                    return network.Upsert(policy);
                case V1Alpha1AdminNetworkPolicy policy:
                    return network.Upsert(policy);
                case V1Alpha1BaselineAdminNetworkPolicy policy:
                    return network.Upsert(policy);
                default:
                    return [];
            }
        }
        catch (InvalidObjectException e)
        {
            throw new ManifestException($"{manifest.Where}: {e.Message}");
        }
    }

    private static V1Node NodeOf(NodeEndpoint node, Manifests manifests) => new()
    {
        Metadata = new V1ObjectMeta { Name = node.Id, Labels = manifests.Objects.Select(m => m.Object).OfType<V1Node>().LastOrDefault(n => n.Metadata.Name == node.Id)?.Metadata.Labels },
        Status = new V1NodeStatus { Addresses = [.. node.Addresses.Select(a => new V1NodeAddress { Type = "InternalIP", Address = a })] },
    };

    private static IEnumerable<V1Namespace> NamespacesOf(Manifests manifests, Placement placement)
    {
        // Every namespace has its name as a label, given or not (KEP-2161).
        const string NameLabel = "kubernetes.io/metadata.name";
        var given = manifests.Objects.Select(m => m.Object).OfType<V1Namespace>().GroupBy(n => n.Metadata.Name!, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);
        var used = placement.Pods.Select(p => p.Id[..p.Id.IndexOf('/', StringComparison.Ordinal)]);
        foreach (var name in used.Union(given.Keys, StringComparer.Ordinal))
        {
            var labels = new Dictionary<string, string>(given.GetValueOrDefault(name)?.Metadata.Labels ?? [], StringComparer.Ordinal) { [NameLabel] = name };
            yield return new V1Namespace { Metadata = new V1ObjectMeta { Name = name, Labels = labels } };
        }
    }

    private static V1Pod PodOf(VirtualPod pod) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = pod.Manifest.Metadata.Name,
            NamespaceProperty = pod.Manifest.Metadata.NamespaceProperty ?? "default",
            Uid = pod.Id,
            Labels = pod.Manifest.Metadata.Labels,
        },
        Spec = new V1PodSpec { NodeName = pod.Node, Containers = pod.Manifest.Spec?.Containers, InitContainers = pod.Manifest.Spec?.InitContainers },
        Status = new V1PodStatus { Phase = "Running", PodIPs = [.. pod.Addresses.Select(a => new V1PodIP { Ip = a.ToString() })] },
    };
}
