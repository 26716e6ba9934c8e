using Weft.Controller.Network;
using Weft.Kubernetes;

namespace Weft.Controller.Tests.Network;

/// <summary>Tells a network of a cluster's objects with gaps, repetitions and old versions, and at a relist the difference to what it told, as a reflector does.</summary>
internal sealed class LossyWatch(LogicalNetwork network)
{
    private readonly Dictionary<(string Kind, ObjectKey Key), IKubernetesObject> _told = [];
    private readonly List<((string Kind, ObjectKey Key) Name, IKubernetesObject Object)> _history = [];

    /// <summary>Something of what happened, perhaps; perhaps something old.</summary>
    public void Tell(RandomCluster cluster, int seed)
    {
        var random = new Random(seed);
        var now = Objects(cluster);
        switch (random.Next(4))
        {
            case 0:
                // A gap.
                break;
            case 1 when _history.Count > 0:
                var (name, old) = _history[random.Next(_history.Count)];
                Upsert(name, old);
                break;
            default:
                foreach (var (changed, value) in now.Where(o => random.Next(2) == 0 || !_told.ContainsKey(o.Key)))
                {
                    Upsert(changed, value);
                }

                foreach (var gone in _told.Keys.Where(k => !now.ContainsKey(k) && random.Next(2) == 0).ToList())
                {
                    Remove(gone);
                }

                break;
        }

        Settle();
    }

    /// <summary>Everything as it is now, in any order, then what is gone.</summary>
    public void Relist(RandomCluster cluster, int seed)
    {
        var random = new Random(seed);
        var now = Objects(cluster);
        foreach (var (name, value) in now.OrderBy(_ => random.Next()))
        {
            Upsert(name, value);
        }

        foreach (var gone in _told.Keys.Where(k => !now.ContainsKey(k)).ToList())
        {
            Remove(gone);
        }

        Settle();
    }

    /// <summary>Ends the step and tells policies again whose namespace moved to another network, as the watcher does.</summary>
    private void Settle()
    {
        network.Commit();
        foreach (var key in network.TakePoliciesToTellAgain())
        {
            if (_told.TryGetValue((nameof(V1NetworkPolicy), key), out var policy))
            {
                network.Upsert((V1NetworkPolicy)policy);
            }
        }

        network.Commit();
    }

    private static Dictionary<(string Kind, ObjectKey Key), IKubernetesObject> Objects(RandomCluster cluster) =>
        cluster.Nodes.Values.Cast<IKubernetesObject>().Concat(cluster.NamespaceObjects.Values).Concat(cluster.Pods.Values)
            .Concat(cluster.Policies.Values).Concat(cluster.Services.Values).Concat(cluster.Slices.Values)
            .Concat(cluster.Vpcs.Values).Concat(cluster.Subnets.Values).Concat(cluster.Peerings.Values)
            .ToDictionary(o => (o.GetType().Name, ObjectKey.Of(o)));

    private void Upsert((string Kind, ObjectKey Key) name, IKubernetesObject value)
    {
        _told[name] = value;
        _history.Add((name, value));
        Action tell = value switch
        {
            V1Node node => () => network.Upsert(node),
            V1Namespace ns => () => network.Upsert(ns),
            V1Pod pod => () => network.Upsert(pod),
            V1NetworkPolicy policy => () => network.Upsert(policy),
            V1Service service => () => network.Upsert(service),
            V1EndpointSlice slice => () => network.Upsert(slice),
            V1Alpha1Vpc vpc => () => network.Upsert(vpc),
            V1Alpha1Subnet subnet => () => network.Upsert(subnet),
            V1Alpha1VpcPeering peering => () => network.Upsert(peering),
            _ => throw new InvalidOperationException(name.Kind),
        };
        tell();
    }

    private void Remove((string Kind, ObjectKey Key) name)
    {
        _told.Remove(name);
        Action tell = name.Kind switch
        {
            nameof(V1Node) => () => network.RemoveNode(name.Key.Name),
            nameof(V1Namespace) => () => network.RemoveNamespace(name.Key.Name),
            nameof(V1Pod) => () => network.RemovePod(name.Key),
            nameof(V1NetworkPolicy) => () => network.RemovePolicy(name.Key),
            nameof(V1Service) => () => network.RemoveService(name.Key),
            nameof(V1EndpointSlice) => () => network.RemoveEndpointSlice(name.Key),
            nameof(V1Alpha1Vpc) => () => network.RemoveVpc(name.Key.Name),
            nameof(V1Alpha1Subnet) => () => network.RemoveSubnet(name.Key.Name),
            nameof(V1Alpha1VpcPeering) => () => network.RemoveVpcPeering(name.Key.Name),
            _ => throw new InvalidOperationException(name.Kind),
        };
        tell();
    }
}
