namespace Weft.Ovsdb;

/// <summary>A wish for a lock of the server (RFC 7047 section 4.1.8), renewed with every connection until disposed.</summary>
/// <remarks>Ownership can end at any moment. A transaction that needs it must say so: <see cref="Transaction.AssertLock"/>.</remarks>
public sealed class OvsdbLock : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly OvsdbClient _client;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal OvsdbLock(OvsdbClient client, string name)
    {
        _client = client;
        Name = name;
    }

    /// <summary>The lock's name.</summary>
    public string Name { get; }

    /// <summary>True while the server says that this connection holds the lock.</summary>
    public bool IsOwned { get; private set; }

    /// <summary>Waits until <see cref="IsOwned"/> is as wanted.</summary>
    public async Task WaitAsync(bool owned, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (IsOwned == owned)
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock from whoever holds it.</summary>
    public Task StealAsync(CancellationToken cancellationToken = default) => _client.StealAsync(this, cancellationToken);

    /// <summary>Gives the lock back, or leaves its queue.</summary>
    public ValueTask DisposeAsync() => _client.ReleaseAsync(this);

    internal void Set(bool owned)
    {
        lock (_lock)
        {
            if (IsOwned != owned)
            {
                IsOwned = owned;
                _changed.TrySetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
