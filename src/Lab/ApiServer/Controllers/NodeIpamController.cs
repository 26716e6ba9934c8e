using System.Collections.Immutable;
using System.Net;
using System.Numerics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Gives every node a range for its pods, one of each family: a /24 and a /64 of the cluster's ranges; of an IPv4 range larger than a /16 its 256th part.</summary>
/// <remarks>Both families use the same number of range, so that they are easy to tell together. A range is free again when its node is gone.</remarks>
public sealed class NodeIpamController(ObjectOperations operations, ILogger logger, ImmutableArray<CidrRange> ranges)
    : Controller(ControllerNames.NodeIpam, operations, logger, "nodes")
{
    private readonly Dictionary<string, HashSet<BigInteger>> _byNode = new(StringComparer.Ordinal);

    protected override void Forget(string storageKey) => _byNode.Clear();

    protected override void OnChange(string storageKey, StoreChange change)
    {
        var name = change.Object.Name;
        if (change.Kind == ChangeKind.Deleted)
        {
            _byNode.Remove(name);
            return;
        }

        var given = change.Object.ToTree().At("spec", "podCIDRs").Texts().ToList();
        if (given.Count > 0)
        {
            _byNode[name] = [.. given.Select(IndexOf).OfType<BigInteger>()];
        }
        else
        {
            Enqueue(name);
        }
    }

    protected override void Reconcile(string key)
    {
        if (Store.Find("nodes", "", key) is not { } node || node.ToTree().At("spec", "podCIDRs").Texts().Any())
        {
            return;
        }

        var used = _byNode.Values.SelectMany(v => v).ToHashSet();
        var count = ranges.Min(r => r.SubnetCount(PrefixLength(r)));
        var index = BigInteger.Zero;
        while (used.Contains(index))
        {
            index++;
        }

        if (index >= count)
        {
            throw new InvalidOperationException($"no range left for node {key}: {string.Join(", ", ranges)} has {count}; delete nodes or give a larger --cluster-cidr");
        }

        var subnets = ranges.Select(r => r.Subnet(PrefixLength(r), index).ToString()).ToList();
        Operations.Update(Operations.Registry.Find("", "v1", "nodes")!, "", key, tree =>
        {
            var spec = tree.Child("spec");
            if (!spec["podCIDRs"].Texts().Any())
            {
                spec["podCIDR"] = subnets[0];
                spec["podCIDRs"] = subnets.ToJson();
            }

            return tree;
        }, WriteOptions.Internal);
        _byNode[key] = [index];
    }

    // Of a range larger than a /16 a node gets a 256th, so that it may have more than 250 pods.
    private static int PrefixLength(CidrRange range) => Math.Max(range.Network.PrefixLength, range.IsIpv6 ? 64 : Math.Min(24, range.Network.PrefixLength + 8));

    private BigInteger? IndexOf(string text)
    {
        if (!IPNetwork.TryParse(text, out var network) || ranges.FirstOrDefault(r => r.Contains(network.BaseAddress)) is not { } range)
        {
            return null;
        }

        return range.IndexOf(network.BaseAddress) >> (range.Bits - PrefixLength(range));
    }
}
