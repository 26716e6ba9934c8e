using System.Runtime.InteropServices;
using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>The active pods: bound to a node, with a network of their own, not ended. Not thread-safe.</summary>
internal sealed class PodTable(NodeTable nodes, GroupTable groups, Interner interner, KeyTable keys, Changes changes)
{
    private readonly Dictionary<(NamespaceState Namespace, string Name), PodState> _pods = [];
    private readonly Dictionary<string, NamedPorts> _ports = new(StringComparer.Ordinal);

    /// <summary>Every active pod.</summary>
    public IEnumerable<PodState> All => _pods.Values;

    /// <summary>The number of active pods.</summary>
    public int Count => _pods.Count;

    /// <summary>Takes a pod as it is now.</summary>
    public void Upsert(V1Pod pod)
    {
        var ns = groups.Namespace(pod.Metadata.NamespaceProperty ?? "");
        var name = pod.Metadata.Name!;
        _pods.TryGetValue((ns, name), out var known);
        if (!IsActive(pod))
        {
            if (known is not null)
            {
                Remove(known);
            }

            return;
        }

        var uid = pod.Metadata.Uid ?? "";
        var node = nodes.Node(pod.Spec!.NodeName!);
        if (known is not null && (known.Uid != uid || known.Node != node))
        {
            // Another pod of the same name: nothing of the old one stays.
            Remove(known);
            known = null;
        }

        var labels = interner.Labels(pod.Metadata.Labels);
        var ports = PortsOf(pod.Spec);
        if (known is null)
        {
            Add(new PodState(ns, name) { Uid = uid, Node = node, Addresses = AddressesOf(pod.Status) }, labels, ports);
            return;
        }

        var addresses = AddressesOf(pod.Status);
        if (!addresses.AsSpan().SequenceEqual(known.Addresses))
        {
            groups.Readdress(known, addresses);
        }

        groups.Move(known, labels, ports);
    }

    /// <summary>Removes a pod; one that is not there is no error.</summary>
    public void Remove(ObjectKey key)
    {
        if (_pods.TryGetValue((groups.Namespace(key.Namespace), key.Name), out var pod))
        {
            Remove(pod);
        }
    }

    private static bool IsActive(V1Pod pod) =>
        !string.IsNullOrEmpty(pod.Spec?.NodeName) && pod.Spec.HostNetwork != true && pod.Status?.Phase is not ("Succeeded" or "Failed");

    private void Add(PodState pod, LabelSet labels, NamedPorts ports)
    {
        pod.Key = keys.Take(pod.Id);
        _pods[(pod.Namespace, pod.Name)] = pod;
        pod.Node!.Add(pod);
        groups.Add(pod, labels, ports);
        changes.Note(pod.Node, pod, whole: true);
    }

    private void Remove(PodState pod)
    {
        var node = pod.Node!;
        _pods.Remove((pod.Namespace, pod.Name));
        keys.Release(pod.Key);
        node.Remove(pod);
        groups.Remove(pod);
        pod.Node = null;
        changes.Note(node, pod, whole: true);
    }

    private static string[] AddressesOf(V1PodStatus? status)
    {
        if (status?.PodIPs is { Count: > 0 } all)
        {
            var found = new List<string>(all.Count);
            foreach (var entry in all)
            {
                if (Cidr.Address(entry.Ip) is { } address && !found.Contains(address))
                {
                    found.Add(address);
                }
            }

            return [.. found];
        }

        return Cidr.Address(status?.PodIP) is { } only ? [only] : [];
    }

    private NamedPorts PortsOf(V1PodSpec spec)
    {
        var found = NamedPorts.Read(spec);
        if (found.Length == 0)
        {
            return NamedPorts.None;
        }

        Array.Sort(found, static (a, b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var c ? c : a.Protocol.CompareTo(b.Protocol));
        var text = string.Join(",", found.Select(p => $"{p.Name}/{(int)p.Protocol}={p.Number}"));
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_ports, text, out _);
        return slot ??= new NamedPorts(found);
    }
}
