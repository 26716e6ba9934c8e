using System.Runtime.InteropServices;
using Weft.Controller.Allocation;

namespace Weft.Controller.Network;

/// <summary>The pods in tenants' networks: what they claim, where they belong, and how Kubernetes knows them.</summary>
internal sealed partial class TenantTable
{
    /// <summary>A pod came, or its claim or its addresses in Kubernetes are other ones now.</summary>
    public void Track(PodState pod)
    {
        ToTell(pod);
        if (pod.Claim is not { } claim)
        {
            Addresses.Seen(pod.Owner, null, time.GetUtcNow());
            if (pod.StatusAddresses.Length == 0)
            {
                _unclaimed.Add(pod);
            }

            return;
        }

        Addresses.Seen(pod.Owner, claim, time.GetUtcNow());
        var subnet = Subnet(claim.Subnet);
        subnet.Pods.Add(pod);
        foreach (var place in PlacesOf(claim))
        {
            ref var owners = ref CollectionsMarshal.GetValueRefOrAddDefault(subnet.Owners, place, out _);
            owners ??= new List<PodState>(1);
            owners.Add(pod);
            if (owners.Count > 1)
            {
                Unplaced.UnionWith(owners);
            }
        }

        foreach (var alias in pod.StatusAddresses)
        {
            (_byAlias.TryGetValue(alias, out var pods) ? pods : _byAlias[alias] = new List<PodState>(1)).Add(pod);
            ChangedAliases.Add(alias);
        }
    }

    /// <summary>A pod is gone for good.</summary>
    public void Forget(PodState pod)
    {
        Untrack(pod);
        Addresses.Gone(pod.Uid, time.GetUtcNow());
        foreach (var other in pod.Claim is null ? [] : Claimants(pod.Claim))
        {
            Unplaced.Add(other);
        }
    }

    /// <summary>Takes back <see cref="Track"/>; call it before the pod's claim or addresses change.</summary>
    public void Untrack(PodState pod)
    {
        ToTell(pod);
        _unclaimed.Remove(pod);
        Arrived(pod);
        if (pod.Claim is not { } claim)
        {
            return;
        }

        var subnet = Subnet(claim.Subnet);
        subnet.Pods.Remove(pod);
        foreach (var place in PlacesOf(claim))
        {
            if (subnet.Owners.TryGetValue(place, out var owners) && owners.Remove(pod))
            {
                Unplaced.UnionWith(owners);
                if (owners.Count == 0)
                {
                    subnet.Owners.Remove(place);
                }
            }
        }

        Unplaced.Remove(pod);
        foreach (var alias in pod.StatusAddresses)
        {
            if (_byAlias.TryGetValue(alias, out var pods) && pods.Remove(pod) && pods.Count == 0)
            {
                _byAlias.Remove(alias);
            }

            ChangedAliases.Add(alias);
        }
    }

    /// <summary>Addresses are on their way to a pod.</summary>
    public void Await(PodState pod, SubnetState subnet, AddressClaim claim)
    {
        Arrived(pod);
        pod.Pending = claim;
        subnet.Vpc!.Coming.Add(pod);
        foreach (var place in PlacesOf(claim))
        {
            subnet.Coming[place] = pod;
        }
    }

    private void Arrived(PodState pod)
    {
        if (pod.Pending is not { } pending)
        {
            return;
        }

        var subnet = Subnet(pending.Subnet);
        subnet.Vpc?.Coming.Remove(pod);
        foreach (var place in PlacesOf(pending).Where(p => subnet.Coming.GetValueOrDefault(p) == pod))
        {
            subnet.Coming.Remove(place);
        }

        pod.Pending = null;
    }

    /// <summary>Where a pod belongs.</summary>
    /// <returns>The Vpc; null is the default network. Not ready: it has no port yet.</returns>
    public (VpcState? Vpc, bool IsReady) Resolve(PodState pod)
    {
        if (pod.Claim is not { } claim)
        {
            // A pod that has its addresses stays where it is, whatever its namespace is bound to now.
            return (null, pod.StatusAddresses.Length > 0 || pod.Namespace.Binding is null);
        }

        var subnet = Subnet(claim.Subnet);
        return (subnet.Vpc, subnet.Source is not null && subnet.Vpc is { Key: > 0 } && Addresses.Holds(pod.Uid) is { } held && held.Equals(claim));
    }

    /// <summary>A pod is in a Vpc now.</summary>
    public void Join(VpcState vpc, PodState pod)
    {
        ToTell(pod);
        _vpcsToTell.Add(vpc);
        vpc.Pods.Add(pod);
        if (vpc.Nodes.Increment(pod.Node!) == 1)
        {
            NotePresence(vpc, pod.Node!);
        }

        NotePort(vpc, pod);
    }

    /// <summary>A pod is not in a Vpc any more.</summary>
    public void Leave(VpcState vpc, PodState pod, NodeState node)
    {
        ToTell(pod);
        _vpcsToTell.Add(vpc);
        NotePort(vpc, pod);
        vpc.Pods.Remove(pod);
        if (vpc.Nodes.Decrement(node) == 0)
        {
            NotePresence(vpc, node);
            changes.Note(node, pod, whole: true);
        }
    }

    /// <summary>Tells every node of the Vpc that a port is another one now.</summary>
    public void NotePort(VpcState vpc, PodState pod)
    {
        foreach (var node in vpc.Audience())
        {
            changes.Note(node, pod, whole: true);
        }
    }

    /// <summary>The address in a Vpc of the pod that Kubernetes knows by another; null: it is in another network.</summary>
    public string? Translate(VpcState? vpc, string address)
    {
        if (!_byAlias.TryGetValue(address, out var pods))
        {
            return vpc is null ? address : null;
        }

        // Two for a moment, when an alias is given again before the end of its old pod is told.
        var pod = pods.Count == 1 ? pods[0] : pods.MinBy(p => p.Id, StringComparer.Ordinal)!;
        return vpc is not null && pod.Vpc == vpc ? Array.Find(pod.Addresses, a => Cidr.IsV6(a) == Cidr.IsV6(address)) : null;
    }

    private IEnumerable<PodState> Claimants(AddressClaim claim)
    {
        var subnet = Subnet(claim.Subnet);
        return PlacesOf(claim).SelectMany(p => subnet.Owners.GetValueOrDefault(p) ?? []);
    }
}
