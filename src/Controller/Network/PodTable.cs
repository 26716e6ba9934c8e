using System.Runtime.InteropServices;
using Weft.Controller.Allocation;
using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>The active pods: bound to a node, with a network of their own, not ended. Not thread-safe.</summary>
internal sealed class PodTable(NodeTable nodes, GroupTable groups, TenantTable tenants, Interner interner, KeyTable keys, Changes changes)
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
        var (claim, addresses) = (AddressClaim.Read(pod.Metadata.Annotations?.GetValueOrDefault(AddressClaim.Annotation), uid), AddressesOf(pod.Status));
        if (known is null)
        {
            Add(new PodState(ns, name)
            {
                Uid = uid,
                Created = pod.Metadata.CreationTimestamp ?? DateTimeOffset.MinValue,
                Node = node,
                Claim = claim,
                Request = PortRequest.Read(pod.Metadata),
                StatusAddresses = addresses,
                Version = claim is null && addresses.Length == 0 ? pod.Metadata.ResourceVersion ?? "" : null,
            }, labels, ports);
            return;
        }

        known.Request = PortRequest.Read(pod.Metadata);
        known.Version = claim is null && addresses.Length == 0 ? pod.Metadata.ResourceVersion ?? "" : null;
        if (!addresses.AsSpan().SequenceEqual(known.StatusAddresses) || !Equals(claim, known.Claim))
        {
            var claimed = !Equals(claim, known.Claim);
            tenants.Untrack(known);
            (known.Claim, known.StatusAddresses) = (claim, addresses);
            tenants.Track(known);
            if (!Place(known) && claimed && known.Vpc is { } vpc)
            {
                // The claim may say more than where: its record has the Subnet and the MAC. A tenant's port has no address of the status.
                tenants.NotePort(vpc, known);
            }
        }

        groups.Move(known, labels, ports);
    }

    /// <summary>Places the pods whose network is decided anew.</summary>
    public void PlaceStale()
    {
        while (tenants.Unplaced.Count > 0)
        {
            var pods = tenants.Unplaced.ToArray();
            tenants.Unplaced.Clear();
            foreach (var pod in pods)
            {
                Place(pod);
            }
        }
    }

    /// <summary>Says why a pod gets no address; null: it will get one.</summary>
    public void SetProblem(PodState pod, string? problem)
    {
        if (pod.Problem != problem && pod.Node is { } node)
        {
            pod.Problem = problem;
            changes.Note(node, pod, whole: true);
        }
    }

    /// <summary>The uid of an active pod, or null.</summary>
    public string? UidOf(ObjectKey key) => _pods.GetValueOrDefault((groups.Namespace(key.Namespace), key.Name))?.Uid;

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

    /// <returns>False when it is where it belongs.</returns>
    private bool Place(PodState pod)
    {
        var (vpc, isReady) = tenants.Resolve(pod);
        var network = !isReady ? 0 : vpc?.Key ?? Topology.Network.DefaultKey;
        var next = isReady ? vpc : null;
        var addresses = AddressesOf(pod, vpc, isReady);
        if (pod.Node is not { } node || (network == pod.Network && next == pod.Vpc && addresses.AsSpan().SequenceEqual(pod.Addresses)))
        {
            return false;
        }

        // A port of the default network has no addresses: its node leases them.
        var isOther = network != Topology.Network.DefaultKey || pod.Network != network;

        // Those who have the port must hear of it, before and after.
        if (pod.Vpc is { } before)
        {
            pod.Vpc = null;
            tenants.Leave(before, pod, node);
        }

        tenants.ChangedAliases.UnionWith(pod.StatusAddresses);
        (pod.Vpc, pod.Network, pod.Problem) = (next, network, network == 0 ? pod.Problem : null);
        groups.Readdress(pod, []);
        groups.Move(pod, pod.Class!.Labels, pod.Class.Ports);
        groups.Readdress(pod, addresses);
        if (next is not null)
        {
            tenants.Join(next, pod);
        }

        if (isOther)
        {
            changes.Note(node, pod, whole: true);
        }

        return true;
    }

    private static string[] AddressesOf(PodState pod, VpcState? vpc, bool isReady) => !isReady ? [] : vpc is null ? pod.StatusAddresses : [.. pod.Claim!.Addresses];

    private void Add(PodState pod, LabelSet labels, NamedPorts ports)
    {
        tenants.Track(pod);
        var (vpc, isReady) = tenants.Resolve(pod);
        pod.Vpc = isReady ? vpc : null;
        pod.Network = !isReady ? 0 : vpc?.Key ?? Topology.Network.DefaultKey;
        pod.Addresses = AddressesOf(pod, vpc, isReady);
        pod.Key = keys.Take(pod.Id);
        _pods[(pod.Namespace, pod.Name)] = pod;
        pod.Node!.Add(pod);
        groups.Add(pod, labels, ports);
        if (pod.Vpc is not null)
        {
            tenants.Join(pod.Vpc, pod);
        }

        if (pod.For(pod.Node) is not null)
        {
            changes.Note(pod.Node, pod, whole: true);
        }
    }

    private void Remove(PodState pod)
    {
        var node = pod.Node!;
        _pods.Remove((pod.Namespace, pod.Name));
        keys.Release(pod.Key);
        node.Remove(pod);
        groups.Remove(pod);
        pod.Node = null;
        tenants.Forget(pod);
        if (pod.Vpc is { } vpc)
        {
            pod.Vpc = null;
            tenants.Leave(vpc, pod, node);
        }

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
