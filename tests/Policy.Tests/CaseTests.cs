using System.Diagnostics;
using System.Text.Json.Nodes;
using Weft.Ctl.WhatIf;

namespace Weft.Policy.Tests;

/// <summary>The table of cases, by the specification, by the agents' plans in the simulator, and by the real command.</summary>
public sealed class CaseTests
{
    private static IReadOnlyList<PolicyCase> Cases => PolicyCase.All;

    [Test]
    public void There_are_enough_cases_with_names_of_their_own()
    {
        Assert.That(Cases, Has.Count.GreaterThanOrEqualTo(120));
        Assert.That(Cases.Select(c => c.Name), Is.Unique);
    }

    [TestCaseSource(nameof(Cases))]
    public void The_expected_answers_are_those_of_the_specification(PolicyCase one)
    {
        JsonObject[] policies = [.. one.Policies()];
        Assert.That(Cluster.Pairs.Where(p => Specification.Allows(policies, p, Cluster.AddressOf) != one.Allows(p)), Is.Empty);
    }

    [TestCaseSource(nameof(Cases))]
    public void The_switches_in_memory_give_the_expected_answers(PolicyCase one)
    {
        var cluster = Virtual.Of(one.Policies());
        Assert.That(Cluster.Pairs.Where(p => Virtual.Allows(cluster, p) != one.Allows(p)), Is.Empty);
    }

    [Test]
    public async Task The_command_gives_the_expected_matrix_of_every_case()
    {
        var root = Directory.CreateTempSubdirectory("weft-policy-").FullName;
        try
        {
            var arguments = new List<string> { typeof(VirtualCluster).Assembly.Location, "policy", "check", "--each" };
            arguments.AddRange(Cluster.Ports.SelectMany(p => new[] { "--port", p }));
            for (var i = 0; i < Cases.Count; i++)
            {
                var folder = Directory.CreateDirectory(Path.Combine(root, $"{i}")).FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "all.yaml"), Virtual.Text(Cases[i].Policies()));
                arguments.AddRange(["-f", folder]);
            }

            using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
            var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            await process.WaitForExitAsync();
            Assert.That(lines, Has.Length.EqualTo(Cases.Count));
            Assert.That(Cases.Zip(lines).Where(c => WithoutProblems(c.Second) != Expected(c.First)).Select(c => c.First.Name), Is.Empty);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>What is said beside the answers has a test of its own.</summary>
    private static string WithoutProblems(string line)
    {
        var answer = JsonNode.Parse(line)!.AsObject();
        answer.Remove("problems");
        return answer.ToJsonString();
    }

    /// <summary>By the first address of each pod, which is of IPv4.</summary>
    private static string Expected(PolicyCase one) => new JsonObject
    {
        ["pods"] = new JsonArray([.. Cluster.Pods.Select(p => JsonValue.Create(p))]),
        ["results"] = new JsonArray([.. Cluster.Ports.Select(port => new JsonObject
        {
            ["port"] = port,
            ["allowed"] = new JsonArray([.. Cluster.Pods.Select(from => new JsonArray(
                [.. Cluster.Pods.Select(to => JsonValue.Create(one.Allows(new Pair(from, to, port, Cluster.Families[0]))))]))]),
        })]),
    }.ToJsonString();
}
