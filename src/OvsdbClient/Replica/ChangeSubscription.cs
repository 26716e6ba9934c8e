namespace Weft.Ovsdb;

/// <summary>The queue between the reading thread and one reader of changes. When it is full, the newest sets become one.</summary>
internal sealed class ChangeSubscription(int capacity)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<ChangeSet> _sets = new();
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _completed;

    public void Add(ChangeSet set)
    {
        lock (_lock)
        {
            if (_sets.Count >= capacity && _sets.Last is { } last)
            {
                last.Value = last.Value.Then(set);
            }
            else
            {
                _sets.AddLast(set);
            }

            _arrived.TrySetResult();
        }
    }

    public void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            _arrived.TrySetResult();
        }
    }

    /// <summary>The next set; null after the last one.</summary>
    public async ValueTask<ChangeSet?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrived;
            lock (_lock)
            {
                if (_sets.First is { } first)
                {
                    _sets.RemoveFirst();
                    return first.Value;
                }

                if (_completed)
                {
                    return null;
                }

                if (_arrived.Task.IsCompleted)
                {
                    _arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
