using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;

namespace Weft.OpenFlow.Tests.Switch;

public sealed class InstallTests
{
    [Test]
    public async Task What_was_sent_equals_what_is_dumped()
    {
        await using var real = await RealSwitch.StartAsync();
        var wanted = Samples.Flows.Select(t => FlowText.Parse(t)).ToList();
        var outcome = await real.Connection.ApplyAsync([.. wanted.Select(FlowMod.Add)]);
        Assert.That(outcome.Failures, Is.Empty, string.Join('\n', outcome.Failures));
        var dumped = (await real.Connection.DumpFlowsAsync()).ToDictionary(f => f.Flow.Key, f => f.Flow);
        Assert.Multiple(() =>
        {
            foreach (var flow in wanted)
            {
                Assert.That(dumped.TryGetValue(flow.Key, out var got), $"{flow}\n is not among\n{string.Join('\n', dumped.Values.Where(d => d.Table == flow.Table && d.Priority == flow.Priority))}");
                Assert.That(got, Is.EqualTo(flow));
            }
        });
        Assert.That(dumped, Has.Count.EqualTo(wanted.Count));
    }
}
