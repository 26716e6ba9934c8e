using Weft.Agent.Facts;

namespace Weft.Agent;

/// <summary>Calls that wait until the facts have something. Safe for concurrent use.</summary>
internal sealed class FactsWaiters
{
    private readonly Lock _lock = new();
    private readonly List<Func<NodeFacts, bool>> _waiting = [];

    /// <summary>Waits until a look at the facts finds what is looked for; the look runs on the loop and must be quick.</summary>
    public async Task<T> WaitAsync<T>(Func<NodeFacts, T?> look, Func<NodeFacts> now, CancellationToken ct)
        where T : class
    {
        var found = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool Look(NodeFacts facts) => look(facts) is { } value && found.TrySetResult(value);
        Func<NodeFacts, bool> waiter = Look;
        lock (_lock)
        {
            _waiting.Add(waiter);
        }

        try
        {
            // After it is in the list: what comes from now on is told.
            Look(now());
            return await found.Task.WaitAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _waiting.Remove(waiter);
            }
        }
    }

    /// <summary>Tells the facts.</summary>
    /// <returns>Whether somebody found what he waits for.</returns>
    public bool Tell(NodeFacts facts)
    {
        lock (_lock)
        {
            return _waiting.Count(look => look(facts)) > 0;
        }
    }
}
