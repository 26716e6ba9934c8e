using Weft.Controller.Allocation;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>What follows from changed objects, and who is told of it.</summary>
internal sealed partial class TenantTable
{
    /// <summary>Computes what follows from changed objects.</summary>
    public void Settle()
    {
        if (!_stale)
        {
            return;
        }

        _stale = false;
        TellAll();
        Retry?.Invoke();
        new TenantResolver(_vpcs, _subnets, interner, settings).Resolve();
        Bind();
        Peer();
        PlanAddresses();
        foreach (var vpc in _vpcs.Values)
        {
            Publish(vpc);
        }

        foreach (var subnet in _subnets.Values)
        {
            Publish(subnet);
        }

        Forget();
    }

    private void Bind()
    {
        var bindings = new NamespaceBindings(_vpcs, _subnets, groups, interner).Compute();
        foreach (var ns in _bound.Concat(bindings.Keys).ToHashSet())
        {
            var next = bindings.GetValueOrDefault(ns);
            var network = next is null ? Topology.Network.DefaultKey : next.Vpc?.Key ?? 0;
            if (ns.Binding == next && ns.Vpc == next?.Vpc && ns.Network == network)
            {
                continue;
            }

            (ns.Binding, ns.Vpc, ns.Network) = (next, next?.Vpc, network);
            Rebound.Add(ns);
            Unplaced.UnionWith(_unclaimed.Where(p => p.Namespace == ns));
        }

        _bound.Clear();
        _bound.UnionWith(bindings.Keys);
    }

    private void Peer()
    {
        var (peers, problems) = new PeeringResolver(_vpcs, _peerings).Compute();
        PeeringProblems = problems;
        var audiences = _vpcs.Values.ToDictionary(v => v, v => v.Audience().ToHashSet());
        foreach (var vpc in _vpcs.Values)
        {
            vpc.Peers = peers.GetValueOrDefault(vpc) ?? [];
        }

        foreach (var (vpc, before) in audiences)
        {
            var now = vpc.Audience().ToHashSet();
            before.SymmetricExceptWith(now);
            foreach (var node in before)
            {
                NoteAll(vpc, node);

                // A Subnet that left the Vpc in this batch is there no more, but these nodes were told of it.
                foreach (var subnet in _subnets.Values.Where(s => s.Told == vpc))
                {
                    changes.Note(node, subnet.Switch, whole: true);
                }
            }
        }
    }

    private void PlanAddresses()
    {
        foreach (var subnet in _subnets.Values)
        {
            if (subnet.Source is null)
            {
                Addresses.RemoveSubnet(subnet.Name);
                continue;
            }

            var pools = _pools.Values.Where(p => p.Spec?.Subnet == subnet.Name).SelectMany(AddressChooser.SpansOf);
            Addresses.SetSubnet(new SubnetPlan(
                subnet.Name,
                [.. subnet.Ranges.Select(r => r.Span)],
                [.. subnet.Ranges.Select(r => new AddressRange(r.Gateway.Number, r.Gateway.Number, r.Gateway.V6))],
                [.. subnet.Excluded, .. pools]));
        }
    }

    private void Publish(VpcState vpc)
    {
        var isThere = vpc is { Source: not null, Key: > 0 };
        Publish(vpc, vpc.Network, isThere ? RecordsOfTenants.Network(vpc) : null);
        Publish(vpc, vpc.Router, isThere ? RecordsOfTenants.Router(vpc) : null);
    }

    private void Publish(VpcState vpc, VpcItem item, TopologyItem? next)
    {
        if (Equals(item.Item, next))
        {
            return;
        }

        item.Item = next;
        Unplaced.UnionWith(vpc.Pods);
        foreach (var node in vpc.Audience())
        {
            changes.Note(node, item, whole: true);
        }
    }

    private void Publish(SubnetState subnet)
    {
        var next = subnet is { Source: not null, Vpc.Key: > 0 } ? RecordsOfTenants.Switch(subnet) : null;
        Unplaced.UnionWith(subnet.Pods.Where(p => Resolve(p) is var (vpc, ready) && (p.Vpc != (ready ? vpc : null) || p.Network != (ready ? vpc!.Key : 0))));
        if (Equals(subnet.Switch.Item, next) && subnet.Told == subnet.Vpc)
        {
            return;
        }

        subnet.Switch.Item = next;
        foreach (var node in (subnet.Told?.Audience() ?? []).Concat(subnet.Vpc?.Audience() ?? []).Distinct())
        {
            changes.Note(node, subnet.Switch, whole: true);
        }

        subnet.Told = subnet.Vpc;
    }

    /// <summary>A node has the Vpc now, or has it no more: so it is with what the Vpc's peers have to tell there.</summary>
    private void NotePresence(VpcState vpc, NodeState node)
    {
        NoteAll(vpc, node);
        vpc.Peers.ForEach(p => NoteAll(p.Vpc, node));
    }

    private void NoteAll(VpcState vpc, NodeState node)
    {
        foreach (var item in ItemsOf(vpc))
        {
            changes.Note(node, item, whole: true);
        }

        foreach (var service in vpc.Services)
        {
            changes.Note(node, service.Endpoints, whole: true);
            changes.Note(node, service.LoadBalancer, whole: true);
        }
    }

    private void Forget()
    {
        foreach (var subnet in _subnets.Values.Where(s => s is { Source: null, Pods.Count: 0, Coming.Count: 0 }).ToList())
        {
            _subnets.Remove(subnet.Name);
        }

        foreach (var vpc in _vpcs.Values.Where(v => v is { Source: null, Pods.Count: 0, Services.Count: 0, Names.Count: 0 } && !_subnets.Values.Any(s => s.Vpc == v)).ToList())
        {
            _vpcs.Remove(vpc.Name);
        }
    }
}
