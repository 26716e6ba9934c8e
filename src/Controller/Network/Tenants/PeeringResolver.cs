using Weft.Controller.Allocation;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Decides which Vpcs are joined: those where each side has a peering that names the other, and whose ranges can be told apart.</summary>
internal sealed class PeeringResolver(Dictionary<string, VpcState> vpcs, Dictionary<string, V1Alpha1VpcPeering> peerings)
{
    public (Dictionary<VpcState, List<VpcPeer>> Peers, Dictionary<string, TenantProblem?> Problems) Compute()
    {
        var peers = new Dictionary<VpcState, List<VpcPeer>>();
        var problems = new Dictionary<string, TenantProblem?>(StringComparer.Ordinal);
        foreach (var (name, peering) in peerings.OrderBy(p => p.Value.Metadata.CreationTimestamp ?? DateTimeOffset.MinValue).ThenBy(p => p.Key, StringComparer.Ordinal))
        {
            problems[name] = Join(peering, peers);
        }

        Withdraw(peers, problems);
        return (peers, problems);
    }

    /// <summary>What only one side can do, neither does.</summary>
    private void Withdraw(Dictionary<VpcState, List<VpcPeer>> peers, Dictionary<string, TenantProblem?> problems)
    {
        foreach (var (vpc, list) in peers.ToList())
        {
            foreach (var peer in list.Where(p => !peers.GetValueOrDefault(p.Vpc, []).Exists(b => b.Vpc == vpc)).ToList())
            {
                list.Remove(peer);
                problems[Consents(vpc.Name, peer.Vpc.Name)[0].Metadata.Name!] =
                    new TenantProblem("PeerCannot", $"the VpcPeering of Vpc {peer.Vpc.Name} cannot be used: its condition says why");
            }
        }
    }

    private TenantProblem? Join(V1Alpha1VpcPeering peering, Dictionary<VpcState, List<VpcPeer>> peers)
    {
        var spec = peering.Spec ?? new V1Alpha1VpcPeeringSpec();
        var (from, to) = (spec.Vpc ?? "", spec.PeerVpc ?? "");
        if (Known(from) is not { } vpc || Known(to) is not { } other)
        {
            return new TenantProblem("VpcMissing", $"Vpc {(Known(from) is null ? from : to)} does not exist or is not ready");
        }

        var mine = Consents(from, to);
        if (mine[0] != peering)
        {
            return new TenantProblem("Duplicate", $"VpcPeering {mine[0].Metadata.Name} says the same and was there first: delete one of them");
        }

        if (Consents(to, from) is not [var theirs, ..])
        {
            return new TenantProblem("PeerMissing", $"no VpcPeering of Vpc {to} names Vpc {from}: its side has to agree");
        }

        var (local, remote) = (RangesOf(vpc, spec.Subnets), RangesOf(other, theirs.Spec!.Subnets));
        if (local.FirstOrDefault(l => other.Subnets.Exists(s => s.Ranges.Exists(r => r.Span.Overlaps(l.Span)))) is { Cidr: { } overlapping })
        {
            return new TenantProblem("Overlap", $"{overlapping} of Vpc {from} overlaps a range of Vpc {to}: such Vpcs cannot be joined");
        }

        if (remote.FirstOrDefault(l => vpc.Subnets.Exists(s => s.Ranges.Exists(r => r.Span.Overlaps(l.Span)))) is { Cidr: { } reverse })
        {
            return new TenantProblem("Overlap", $"{reverse} of Vpc {to} overlaps a range of Vpc {from}: such Vpcs cannot be joined");
        }

        var before = peers.TryGetValue(vpc, out var list) ? list : peers[vpc] = [];
        if (before.Find(p => remote.Exists(r => p.Remote.Any(o => Ranges.Parse(o) is { } span && span.Overlaps(r.Span)))) is { } third)
        {
            return new TenantProblem("Overlap", $"Vpc {to} overlaps Vpc {third.Vpc.Name}, which Vpc {from} is joined with: an address would mean both");
        }

        before.Add(new VpcPeer(other, local.Select(r => r.Cidr).ToEquatableArray(), remote.Select(r => r.Cidr).ToEquatableArray()));
        return null;
    }

    private VpcState? Known(string name) => vpcs.TryGetValue(name, out var vpc) && vpc is { Source: not null, Key: > 0 } ? vpc : null;

    private List<V1Alpha1VpcPeering> Consents(string from, string to) =>
        [.. TenantResolver.InOrder(peerings.Values.Where(p => p.Spec?.Vpc == from && p.Spec.PeerVpc == to), p => p.Metadata)];

    private static List<(AddressRange Span, string Cidr)> RangesOf(VpcState vpc, List<string>? names) =>
        [.. vpc.Subnets.Where(s => s.Problem is null && (names is not { Count: > 0 } || names.Contains(s.Name))).SelectMany(s => s.Ranges).Select(r => (r.Span, r.Cidr))];
}
