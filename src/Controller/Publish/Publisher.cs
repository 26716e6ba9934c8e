using Weft.Controller.Network;
using Weft.Topology;

namespace Weft.Controller.Publish;

/// <summary>Owns the logical network: changes come in as batches, readers follow nodes. Safe to use from any thread.</summary>
/// <remarks>A reader holds a revision, nothing else: one that is slow or dead costs the others nothing, and gets what changed meanwhile once.</remarks>
public sealed class Publisher(LogicalNetwork network)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Subscription>> _subscriptions = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Names this history of revisions.</summary>
    public string Epoch { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Ends when every watch has told everything: before that nothing may be sent.</summary>
    public Task Synced => _synced.Task;

    /// <summary>The number of open subscriptions.</summary>
    public int SubscriptionCount
    {
        get
        {
            lock (_lock)
            {
                return _subscriptions.Values.Sum(s => s.Count);
            }
        }
    }

    /// <summary>Applies changes as one revision and wakes whom they concern.</summary>
    public void Apply(Action<LogicalNetwork> change)
    {
        lock (_lock)
        {
            var begun = System.Diagnostics.Stopwatch.GetTimestamp();
            change(network);
            var committed = network.Commit();
            ControllerMetrics.CommitDuration.Record(System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalSeconds);
            if (committed.All)
            {
                foreach (var subscription in _subscriptions.Values.SelectMany(s => s))
                {
                    subscription.Wake();
                }

                return;
            }

            foreach (var node in committed.Nodes)
            {
                foreach (var subscription in _subscriptions.GetValueOrDefault(node) ?? [])
                {
                    subscription.Wake();
                }
            }
        }
    }

    /// <summary>Reads the network between two batches, and leaves it as it is.</summary>
    public T Read<T>(Func<LogicalNetwork, T> read)
    {
        lock (_lock)
        {
            return read(network);
        }
    }

    /// <summary>Takes out of the network, between two batches, what is to be told to others: it is not given again.</summary>
    public T Take<T>(Func<LogicalNetwork, T> take)
    {
        lock (_lock)
        {
            return take(network);
        }
    }

    /// <summary>Says that every watch has told everything.</summary>
    public void MarkSynced() => _synced.TrySetResult();

    /// <summary>Follows a node until the result is disposed of.</summary>
    public Subscription Subscribe(string node)
    {
        lock (_lock)
        {
            if (!_subscriptions.TryGetValue(node, out var list))
            {
                _subscriptions[node] = list = [];
            }

            var subscription = new Subscription(this, node);
            list.Add(subscription);
            return subscription;
        }
    }

    /// <summary>The whole slice of a node with its revision; no items when Kubernetes does not know the node.</summary>
    internal (long Revision, IReadOnlyList<TopologyItem> Items) Snapshot(string node)
    {
        lock (_lock)
        {
            return (network.Revision, network.Snapshot(node));
        }
    }

    /// <summary>The revision that an agent of another epoch is at, when its digest says that it has all; null otherwise.</summary>
    internal long? Adopt(string node, string digest)
    {
        lock (_lock)
        {
            return network.HasNode(node) && SliceDigest.ToText(network.Digest(node)) == digest ? network.Revision : null;
        }
    }

    internal Delta? Since(string node, long revision)
    {
        lock (_lock)
        {
            return network.Since(node, revision);
        }
    }

    internal void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            if (_subscriptions.TryGetValue(subscription.Node, out var list) && list.Remove(subscription) && list.Count == 0)
            {
                _subscriptions.Remove(subscription.Node);
            }
        }
    }
}

/// <summary>Wakes one reader of one node.</summary>
public sealed class Subscription : IDisposable
{
    private readonly Publisher _publisher;
    private readonly SemaphoreSlim _changed = new(0);

    internal Subscription(Publisher publisher, string node) => (_publisher, Node) = (publisher, node);

    /// <summary>The node.</summary>
    public string Node { get; }

    /// <summary>Waits until something may have changed.</summary>
    /// <returns>False when the time passed first.</returns>
    public Task<bool> WaitAsync(TimeSpan limit, CancellationToken ct) => _changed.WaitAsync(limit, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        _publisher.Remove(this);
        _changed.Dispose();
    }

    /// <summary>Called with the publisher's lock held. Wakes that nobody took yet are one.</summary>
    internal void Wake()
    {
        if (_changed.CurrentCount == 0)
        {
            _changed.Release();
        }
    }
}
