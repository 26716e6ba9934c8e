using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>Random policies of every kind: the switches agree with the specification.</summary>
public sealed class RandomPolicyTests
{
    private static IEnumerable<int> Seeds => Enumerable.Range(1, Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 2000 : 100);

    [TestCaseSource(nameof(Seeds))]
    public void Random_policies_are_decided_as_the_specification_says(int seed)
    {
        var random = new RandomPolicies(seed);
        JsonObject[] policies = [.. random.Take(1 + (seed % 6))];
        var cluster = Virtual.Of(policies);
        var wrong = Cluster.Pairs.Where(p => Virtual.Allows(cluster, p) != Specification.Allows(policies, p, Cluster.AddressOf)).Take(5).ToList();
        Assert.That(wrong, Is.Empty, () => string.Join("\n", policies.Select(p => p.ToJsonString())));
    }
}
