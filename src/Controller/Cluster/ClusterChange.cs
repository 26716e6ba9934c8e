using Weft.Controller.Network;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>One step of one of the watches.</summary>
/// <param name="Kind">The kind of object, for example <c>pods</c>.</param>
/// <param name="Type">What happened.</param>
/// <param name="Key">The object's name.</param>
/// <param name="Object">The object, when there is one.</param>
/// <param name="Problem">Why it cannot be read, when it cannot.</param>
internal readonly record struct ClusterChange(string Kind, ResourceEventType Type, ObjectKey Key, IKubernetesObject? Object, string? Problem)
{
    /// <summary>Applies it.</summary>
    /// <returns>What of the object cannot be used; the rest is in force.</returns>
    /// <exception cref="InvalidObjectException">Nothing of the object can be used.</exception>
    public IReadOnlyList<string> ApplyTo(LogicalNetwork network)
    {
        if (Type == ResourceEventType.Upsert)
        {
            return Upsert(network);
        }

        if (Type == ResourceEventType.Delete)
        {
            Delete(network);
        }

        return [];
    }

    private IReadOnlyList<string> Upsert(LogicalNetwork network)
    {
        switch (Object)
        {
            case V1Pod pod:
                network.Upsert(pod);
                break;
            case V1Node node:
                network.Upsert(node);
                break;
            case V1Namespace ns:
                network.Upsert(ns);
                break;
            case V1NetworkPolicy policy:
                return network.Upsert(policy);
            case V1Alpha2ClusterNetworkPolicy policy:
                return network.Upsert(policy);
            case V1Alpha1AdminNetworkPolicy policy:
                return network.Upsert(policy);
            case V1Alpha1BaselineAdminNetworkPolicy policy:
                return network.Upsert(policy);
            case V1Service service:
                network.Upsert(service);
                break;
            case V1EndpointSlice slice:
                network.Upsert(slice);
                break;
            case V1Alpha1Vpc vpc:
                network.Upsert(vpc);
                break;
            case V1Alpha1Subnet subnet:
                network.Upsert(subnet);
                break;
            case V1Alpha1VpcPeering peering:
                network.Upsert(peering);
                break;
            case V1Alpha1AddressPool pool:
                network.Upsert(pool);
                break;
            default:
                throw new InvalidOperationException($"no table for {Kind}");
        }

        return [];
    }

    private void Delete(LogicalNetwork network)
    {
        switch (Kind)
        {
            case "pods":
                network.RemovePod(Key);
                break;
            case "nodes":
                network.RemoveNode(Key.Name);
                break;
            case "namespaces":
                network.RemoveNamespace(Key.Name);
                break;
            case "networkpolicies":
                network.RemovePolicy(Key);
                break;
            case "clusternetworkpolicies":
                network.RemoveClusterPolicy(ClusterPolicy.ClusterKind, Key.Name);
                break;
            case "adminnetworkpolicies":
                network.RemoveClusterPolicy(ClusterPolicy.AdminKind, Key.Name);
                break;
            case "baselineadminnetworkpolicies":
                network.RemoveClusterPolicy(ClusterPolicy.BaselineKind, Key.Name);
                break;
            case "services":
                network.RemoveService(Key);
                break;
            case "endpointslices":
                network.RemoveEndpointSlice(Key);
                break;
            case "vpcs":
                network.RemoveVpc(Key.Name);
                break;
            case "subnets":
                network.RemoveSubnet(Key.Name);
                break;
            case "vpcpeerings":
                network.RemoveVpcPeering(Key.Name);
                break;
            case "addresspools":
                network.RemoveAddressPool(Key.Name);
                break;
            default:
                throw new InvalidOperationException($"no table for {Kind}");
        }
    }
}
