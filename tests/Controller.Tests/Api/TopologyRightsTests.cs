using Weft.Controller.Api;
using Weft.Lab.Cluster;

namespace Weft.Controller.Tests.Api;

/// <summary>The chart's right to read the topology.</summary>
public sealed class TopologyRightsTests
{
    [Test]
    public async Task Those_who_view_the_cluster_may_read_every_kind_of_the_topology()
    {
        var roles = await File.ReadAllTextAsync(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/templates/rbac.yaml"));
        Assert.That(roles, Does.Contain($"apiGroups: [topology.weft.dev]\n    resources: [{string.Join(", ", TopologyKind.All.Select(k => k.Plural))}]\n"));
    }
}
