using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>A loop that keeps something as it should be: changes of some resources mark keys, marked keys are worked on one by one.</summary>
/// <remarks>Everything runs on one task, so a controller needs no locks. Work that fails is tried again, later each time; other keys go
/// on meanwhile. A controller decides from what is there, never from what the change was.</remarks>
public abstract partial class Controller(string name, ObjectOperations operations, ILogger logger, params string[] watched)
{
    private const int Batch = 1024;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, long> _positions = new(StringComparer.Ordinal);
    private readonly Queue<string> _queue = new();
    private readonly HashSet<string> _queued = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _failures = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _later = new();

    public string Name { get; } = name;

    protected ObjectOperations Operations { get; } = operations;

    protected ObjectStore Store => Operations.Store;

    /// <summary>Storage keys to follow; asked before every round.</summary>
    protected virtual IReadOnlyList<string> Watched => watched;

    protected DateTimeOffset Now => Operations.Time.GetUtcNow();

    /// <summary>Runs until cancelled. First sees every object as added.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            Start();
            while (!stop.IsCancellationRequested)
            {
                var signals = new List<Task>(8);
                var busy = ReadChanges(signals);
                TakeDue();
                busy |= WorkSome();
                if (!busy)
                {
                    await WaitAsync(signals, stop);
                }
                else
                {
                    await Task.Yield();
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>Before the first change.</summary>
    protected virtual void Start()
    {
    }

    /// <summary>Marks what a change concerns; must not do the work itself.</summary>
    protected abstract void OnChange(string storageKey, StoreChange change);

    /// <summary>Makes one thing as it should be. Exceptions are logged and lead to another try.</summary>
    protected abstract void Reconcile(string key);

    /// <summary>Changes of a resource were missed: what was learnt from them is void, every object comes again as added.</summary>
    protected virtual void Forget(string storageKey)
    {
    }

    protected void Enqueue(string key)
    {
        if (_queued.Add(key))
        {
            _queue.Enqueue(key);
        }
    }

    protected void EnqueueAfter(string key, TimeSpan delay) => _later.Enqueue(key, Now + delay);

    private bool ReadChanges(List<Task> signals)
    {
        var busy = false;
        foreach (var resource in Watched)
        {
            var changes = new List<StoreChange>();
            if (!_positions.TryGetValue(resource, out var position)
                || !Store.TryRead(resource, position, changes, Batch, out var current, out var more))
            {
                Forget(resource);
                var snapshot = Store.Snapshot(resource);
                foreach (var item in snapshot.Items)
                {
                    OnChange(resource, new StoreChange(ChangeKind.Added, item, null));
                }

                _positions[resource] = snapshot.Revision;
                busy = true;
                continue;
            }

            foreach (var change in changes)
            {
                OnChange(resource, change);
            }

            _positions[resource] = changes.Count == Batch ? changes[^1].Revision : current;
            busy |= changes.Count > 0;
            signals.Add(more);
        }

        return busy;
    }

    private bool WorkSome()
    {
        var worked = false;
        for (var i = 0; i < Batch && _queue.TryDequeue(out var key); i++)
        {
            worked = true;
            _queued.Remove(key);
            try
            {
                Reconcile(key);
                _failures.Remove(key);
            }
            catch (ApiException e) when (e.Code is 404 or 409)
            {
                // Gone or changed meanwhile: the change that says so is on its way, but a deletion may have been the last.
                Retry(key);
            }
            catch (Exception e)
            {
                LogFailed(logger, Name, key, e);
                Retry(key);
            }
        }

        return worked;
    }

    private void Retry(string key)
    {
        var wait = _failures.TryGetValue(key, out var last) ? last * 2 : FirstRetry;
        if (wait <= LongestRetry)
        {
            _failures[key] = wait;
        }

        EnqueueAfter(key, wait < LongestRetry ? wait : LongestRetry);
    }

    private void TakeDue()
    {
        while (_later.TryPeek(out var key, out var due) && due <= Now)
        {
            _later.Dequeue();
            Enqueue(key);
        }
    }

    private async Task WaitAsync(List<Task> signals, CancellationToken stop)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (_later.TryPeek(out _, out var due))
        {
            var wait = due - Now;
            signals.Add(Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, timer.Token));
        }
        else
        {
            signals.Add(Task.Delay(Timeout.Infinite, timer.Token));
        }

        await Task.WhenAny(signals);
        await timer.CancelAsync();
        stop.ThrowIfCancellationRequested();
    }

    [LoggerMessage(6100, LogLevel.Warning, "controller {Controller} failed at {Key} and tries again")]
    private static partial void LogFailed(ILogger logger, string controller, string key, Exception error);
}
