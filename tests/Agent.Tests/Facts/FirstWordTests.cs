using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.Facts;

/// <summary>A restarted agent touches the switch when the controller had its say, or when there is none.</summary>
public sealed class FirstWordTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Test]
    public async Task Controllers_that_all_refuse_have_had_their_say()
    {
        await using var agent = new Listener("http://127.0.0.1:1", "http://127.0.0.1:2");
        await agent.Stream.FirstWord.WaitAsync(Patience);
        Assert.That((agent.Stream.Connected, agent.Steps), Is.EqualTo(((string?)null, 0)));
    }

    [Test]
    public async Task A_controller_that_has_nothing_new_has_had_its_say()
    {
        await using var controller = await FakeController.StartAsync(Task.CompletedTask, new Alive(7));
        await using var agent = new Listener(controller.Url);
        await agent.Stream.FirstWord.WaitAsync(Patience);
        Assert.That((agent.Stream.Connected, agent.Steps), Is.EqualTo((controller.Url, 0)));
    }

    [Test]
    public async Task A_snapshot_is_a_say_when_it_is_whole()
    {
        var rest = new TaskCompletionSource();
        await using var controller = await FakeController.StartAsync(rest.Task, new SnapshotBegin("other", 9), new SnapshotEnd("other", 9));
        await using var agent = new Listener(controller.Url);
        await Eventually.True("a connection", () => agent.Stream.Connected is not null, Patience);
        Assert.That(agent.Stream.FirstWord.IsCompleted, Is.False);
        rest.SetResult();
        await agent.Stream.FirstWord.WaitAsync(Patience);
        Assert.That(agent.Steps, Is.EqualTo(1));
    }

    private sealed class Listener : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private int _steps;

        public Listener(params string[] controllers)
        {
            Stream = new ControllerStream(new AgentOptions { NodeName = "node1", Controllers = controllers }, TimeProvider.System, NullLogger<ControllerStream>.Instance);
            var builder = new SliceBuilder(new Slice { Epoch = "known", Revision = 7 });
            _running = Stream.RunAsync(builder, _ => Interlocked.Increment(ref _steps), _stop.Token);
        }

        public ControllerStream Stream { get; }

        public int Steps => Volatile.Read(ref _steps);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            Stream.Dispose();
            _stop.Dispose();
        }
    }
}
