using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;

namespace Weft.Agent.Tests.Facts;

/// <summary>A restarted agent touches the switch when the controller had its say, or when there is none.</summary>
public sealed class FirstWordTests
{
    [Test]
    public async Task Controllers_that_all_refuse_have_had_their_say()
    {
        var options = new AgentOptions { NodeName = "node1", Controllers = ["http://127.0.0.1:1", "http://127.0.0.1:2"] };
        using var stream = new ControllerStream(options, TimeProvider.System, NullLogger<ControllerStream>.Instance);
        using var stop = new CancellationTokenSource();
        var steps = 0;
        var running = stream.RunAsync(new SliceBuilder(Slice.Empty), _ => steps++, stop.Token);
        await stream.FirstWord.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That((stream.Connected, steps), Is.EqualTo(((string?)null, 0)));
        await stop.CancelAsync();
        await running;
    }
}
