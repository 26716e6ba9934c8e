using Weft.Agent.Facts;

namespace Weft.Agent.Tests.Facts;

/// <summary>Calls that wait for something to be in the facts.</summary>
public sealed class FactsWaitersTests
{
    private static readonly NodeFacts Without = new() { NodeName = "a" };
    private static readonly NodeFacts With = new() { NodeName = "b" };

    [Test]
    public async Task What_is_there_already_is_found_at_once() =>
        Assert.That(await new FactsWaiters().WaitAsync(Look, () => With, CancellationToken.None), Is.EqualTo("b"));

    [Test]
    public async Task What_comes_is_told_once_and_to_all_who_wait()
    {
        var waiters = new FactsWaiters();
        var (first, second) = (waiters.WaitAsync(Look, () => Without, CancellationToken.None), waiters.WaitAsync(Look, () => Without, CancellationToken.None));
        Assert.That(waiters.Tell(Without), Is.False);
        Assert.That(first.IsCompleted || second.IsCompleted, Is.False);
        Assert.That(waiters.Tell(With), Is.True);
        Assert.That(await Task.WhenAll(first, second), Is.All.EqualTo("b"));
        Assert.That(waiters.Tell(With), Is.False, "nobody waits any more");
    }

    [Test]
    public async Task Who_gives_up_is_forgotten()
    {
        var waiters = new FactsWaiters();
        using var patience = new CancellationTokenSource();
        var waiting = waiters.WaitAsync(Look, () => Without, patience.Token);
        await patience.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(waiters.Tell(With), Is.False);
    }

    private static string? Look(NodeFacts facts) => facts.NodeName == "b" ? facts.NodeName : null;
}
