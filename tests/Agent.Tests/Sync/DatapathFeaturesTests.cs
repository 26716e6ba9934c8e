using Weft.Agent.Sync;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Sync;

public sealed class DatapathFeaturesTests
{
    [Test]
    public async Task The_real_switch_says_what_its_data_path_can_do_and_nothing_is_missing()
    {
        await using var fixture = await SwitchFixture.StartAsync(PlanCases.TwoPods());
        await Eventually.True("the data path's capabilities", () => fixture.Rows.DatapathCapabilities.Count > 0);
        Assert.That(fixture.Rows.DatapathCapabilities, Does.ContainKey("ct_state"));
        Assert.That(fixture.Rows.DatapathProblems, Is.Empty);
    }

    [Test]
    public void What_is_missing_is_named_with_what_does_not_work()
    {
        var old = new Dictionary<string, string> { ["recirc"] = "true", ["ct_state"] = "true", ["ct_zone"] = "true", ["ct_mark"] = "true", ["ct_orig_tuple"] = "true", ["ct_orig_tuple6"] = "true", ["ct_state_nat"] = "false" };
        Assert.That(DatapathFeatures.Missing("system", old).Single(), Does.StartWith("data path 'system' lacks ct_state_nat: Services do not work; "));
        Assert.That(DatapathFeatures.Missing("system", new Dictionary<string, string>()), Is.Empty, "nothing is known yet");
    }
}
