using System.Text.Json.Nodes;
using Weft.Ctl.WhatIf;

namespace Weft.Policy.Tests;

/// <summary>The product's answers from manifests.</summary>
internal static class Virtual
{
    public static VirtualCluster Of(IEnumerable<JsonObject> policies)
    {
        var manifests = new Manifests();
        manifests.Read(Text(policies), "case");
        return VirtualCluster.Of(manifests);
    }

    /// <summary>The whole cluster as a file of manifests.</summary>
    public static string Text(IEnumerable<JsonObject> policies) => string.Join("\n---\n", Cluster.Manifests().Concat(policies).Select(m => m.ToJsonString()));

    public static bool Allows(VirtualCluster cluster, Pair pair)
    {
        var (from, to) = (cluster.Pods.Single(p => p.Id == pair.From), cluster.Pods.Single(p => p.Id == pair.To));
        return cluster.Send(from, to, PortQuestion.Parse(pair.Port), pair.Family).Delivered;
    }
}
