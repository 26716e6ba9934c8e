using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Sync;

/// <summary>What <c>weft-agent --verify</c> says of a real switch.</summary>
public sealed class VerificationTests
{
    [Test]
    public async Task Only_what_differs_is_named()
    {
        var facts = PlanCases.TwoPods();
        using var state = new TemporaryFolder();
        await using var fixture = await SwitchFixture.StartAsync(facts);
        var options = fixture.Options with { StateDir = state.Path };
        new SliceFile(state.File("node-state.ndjson"), NullLogger<SliceFile>.Instance).Write(facts.Slice);

        // Nobody brought this machine's own network in line; the switch is what is tested here.
        Assert.That(await SwitchDifferencesAsync(options), Is.Empty);

        await fixture.Switch.OfctlAsync("-O", "OpenFlow13", "add-flow", "br-int", "table=3,priority=77,tcp,actions=drop");
        var differences = await SwitchDifferencesAsync(options);
        Assert.That(differences, Has.Some.StartsWith("flow not planned: ").And.Some.Contains("priority=77"));
        Assert.That(differences, Has.Count.EqualTo(1), string.Join('\n', differences));
    }

    [Test]
    public async Task Without_a_node_state_there_is_nothing_to_compare_with()
    {
        using var state = new TemporaryFolder();
        var options = new AgentOptions { NodeName = "node1", StateDir = state.Path };
        Assert.That(await Verification.RunAsync(options, CancellationToken.None), Is.EqualTo(new[] { $"no node state in {state.Path}" }));
    }

    private static async Task<List<string>> SwitchDifferencesAsync(AgentOptions options)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return [.. (await Verification.RunAsync(options, limit.Token)).Where(d => !d.StartsWith("host: ", StringComparison.Ordinal))];
    }
}
