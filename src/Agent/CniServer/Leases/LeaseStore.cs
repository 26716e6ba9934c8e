namespace Weft.Agent.CniServer.Leases;

/// <summary>The leases of this node. A lease is written before it is used, and on the disk before anybody learns of it; no address is given twice, whatever is killed when.</summary>
/// <remarks>Safe for concurrent calls; calls that come together share one sync of the disk. A release is written but not synced:
/// after power loss the lease can be back, which <see cref="ReconcileAsync"/> sorts out.</remarks>
public sealed partial class LeaseStore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseBook _book;
    private readonly LeaseJournal _journal;
    private readonly Dictionary<LeaseKey, Batch> _unwritten = [];
    private Batch? _open;

    private LeaseStore(LeaseJournal journal, LeaseBook book, TimeProvider time, ILogger logger)
    {
        _journal = journal;
        _book = book;
        _time = time;
        _logger = logger;
    }

    /// <summary>The leases now.</summary>
    public IReadOnlyList<Lease> Leases
    {
        get
        {
            lock (_lock)
            {
                return [.. _book.Leases];
            }
        }
    }

    /// <summary>Why the last write did not succeed, with the remedy; null when it did. For readers on any thread.</summary>
    public string? Problem { get; private set; }

    /// <summary>Opens the leases in a folder.</summary>
    /// <param name="path">The journal; made when missing.</param>
    /// <param name="rest">How long an address is not given again after its release.</param>
    /// <param name="time">The clock of the rest.</param>
    /// <param name="logger">Damage is reported here.</param>
    /// <exception cref="IOException">The file cannot be read, or another agent has it open.</exception>
    public static LeaseStore Open(string path, TimeSpan rest, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        var journal = LeaseJournal.Open(path, out var records, out var damaged);
        try
        {
            var book = new LeaseBook(rest);
            Replay(book, records, time.GetUtcNow());
            var store = new LeaseStore(journal, book, time, logger);
            Log.Opened(logger, path, book.Leases.Count, book.RestingCount);
            if (damaged > 0)
            {
                Log.Damaged(logger, path, damaged);
                journal.Rewrite([.. book.ToRecords()]);
            }

            return store;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>The lease of a container interface, or null.</summary>
    public Lease? Find(string containerId, string ifName)
    {
        lock (_lock)
        {
            return _book.Find(new LeaseKey(containerId, ifName));
        }
    }

    /// <summary>Gives addresses. Idempotent: a container interface that has a lease keeps it.</summary>
    /// <returns>The lease, and whether this call made it.</returns>
    /// <exception cref="LeaseException">None is free, a fixed one is taken, or the disk refused; nothing is changed.</exception>
    public async Task<(Lease Lease, bool IsNew)> AcquireAsync(LeaseRequest request, CancellationToken ct)
    {
        var grant = await GrantAsync(request, ct).ConfigureAwait(false);
        try
        {
            await grant.Durable.ConfigureAwait(false);
        }
        catch (LeaseException) when (grant.IsNew)
        {
            Revoke(grant.Lease);
            throw;
        }

        return (grant.Lease, grant.IsNew);
    }

    /// <summary>As <see cref="AcquireAsync"/>, but returns when the lease is written and so survives this process; the disk may not have it yet.</summary>
    /// <exception cref="LeaseException">None is free, a fixed one is taken, or the file cannot be written; nothing is changed.</exception>
    public async Task<LeaseGrant> GrantAsync(LeaseRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        ct.ThrowIfCancellationRequested();
        Lease lease;
        bool isNew;
        Batch? batch;
        lock (_lock)
        {
            lease = _book.Give(request, _time.GetUtcNow(), out isNew);
            batch = isNew
                ? _unwritten[lease.Key] = Enqueue(new LeaseRecord { Give = lease, At = Now() })
                : _unwritten.GetValueOrDefault(lease.Key);
        }

        if (batch is null)
        {
            return new LeaseGrant(lease, isNew, Task.CompletedTask);
        }

        var durable = ConfirmAsync(lease, batch);
        if (!await batch.Appended.Task.ConfigureAwait(false))
        {
            if (isNew)
            {
                Revoke(lease);
            }

            await durable.ConfigureAwait(false);
        }

        return new LeaseGrant(lease, isNew, durable);
    }

    private async Task ConfirmAsync(Lease lease, Batch batch)
    {
        try
        {
            await batch.Written.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LeaseException($"the lease cannot be written: {e.Message}; free space in the agent's state folder", isTransient: true, e);
        }
        finally
        {
            lock (_lock)
            {
                if (_unwritten.GetValueOrDefault(lease.Key) == batch)
                {
                    _unwritten.Remove(lease.Key);
                }
            }
        }
    }

    /// <summary>Ends a lease. An unknown one is no error.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> ReleaseAsync(string containerId, string ifName)
    {
        Task written;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (_book.Release(new LeaseKey(containerId, ifName), now, now) is not { } lease)
            {
                return false;
            }

            written = Enqueue(new LeaseRecord { Release = lease, At = Now() }).Written;
        }

        try
        {
            await written.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The address is free now; only after a restart the lease is back, and reconciled away.
            Log.ReleaseNotWritten(_logger, e, containerId, ifName);
        }

        return true;
    }

    /// <summary>Makes leases and reality agree: live attachments without a lease get theirs back, leases of nothing end.</summary>
    /// <param name="attached">What the switch holds. Call only when that is known completely.</param>
    /// <param name="isLive">Whether something still uses a lease that has no attachment (its interface exists, an ADD is under way).</param>
    /// <param name="ct">Ends between two leases.</param>
    /// <returns>The numbers of leases that were added and ended.</returns>
    public async Task<(int Adopted, int Released)> ReconcileAsync(IReadOnlyCollection<Attachment> attached, Func<Lease, bool> isLive, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(attached);
        ArgumentNullException.ThrowIfNull(isLive);
        var adopted = 0;
        foreach (var attachment in attached.Where(a => Find(a.ContainerId, a.IfName) is null))
        {
            ct.ThrowIfCancellationRequested();
            await AdoptAsync(attachment).ConfigureAwait(false);
            adopted++;
        }

        var keys = attached.Select(a => new LeaseKey(a.ContainerId, a.IfName)).ToHashSet();
        var released = 0;
        foreach (var lease in Leases.Where(l => !keys.Contains(l.Key) && !isLive(l)))
        {
            ct.ThrowIfCancellationRequested();
            Log.Orphan(_logger, lease.Pod, lease.ContainerId, lease.Addresses);
            released += await ReleaseAsync(lease.ContainerId, lease.IfName).ConfigureAwait(false) ? 1 : 0;
        }

        return (adopted, released);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _journal.Dispose();
        _writing.Dispose();
    }

    private static void Replay(LeaseBook book, IReadOnlyList<LeaseRecord> records, DateTimeOffset now)
    {
        foreach (var record in records)
        {
            if (record.Give is { } given)
            {
                book.Note(given);
            }
            else if (record.Release is { } released)
            {
                var at = DateTimeOffset.FromUnixTimeSeconds(record.At);
                if (book.Release(released.Key, at, now) is null)
                {
                    book.Rest(released, at, now);
                }
            }
        }
    }

    private async Task AdoptAsync(Attachment attachment)
    {
        Task written;
        lock (_lock)
        {
            var lease = new Lease
            {
                ContainerId = attachment.ContainerId,
                IfName = attachment.IfName,
                Pod = attachment.Pod,
                SpareInterface = attachment.HostInterface == PodInterface.HostNameOf(attachment.ContainerId, attachment.IfName) ? "" : attachment.HostInterface,
                NetworkKey = attachment.Aliases.IsEmpty ? attachment.NetworkKey : Topology.Network.DefaultKey,
                Addresses = attachment.Aliases.IsEmpty ? attachment.Addresses : attachment.Aliases,
            };
            _book.Note(lease);
            written = Enqueue(new LeaseRecord { Give = lease, At = Now() }).Written;
        }

        Log.Adopted(_logger, attachment.Pod, attachment.ContainerId, attachment.Addresses);
        await written.ConfigureAwait(false);
    }

    /// <summary>Puts a record into the batch that is written next. Needs the lock.</summary>
    private Batch Enqueue(LeaseRecord record)
    {
        if (_open is not { } batch)
        {
            _open = batch = new Batch();
            batch.Written = WriteAsync(batch);
        }

        batch.Records.Add(record);
        return batch;
    }

    private async Task WriteAsync(Batch batch)
    {
        // Whoever comes while the disk is busy with the previous batch joins this one.
        await Task.Yield();
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            LeaseRecord[]? compacted = null;
            lock (_lock)
            {
                _open = null;
            }

            _journal.Append(batch.Records);
            batch.Appended.SetResult(true);
            if (batch.Records.Exists(r => r.Give is not null))
            {
                _journal.Sync();
            }

            Problem = null;
            lock (_lock)
            {
                compacted = _journal.RecordCount > 1024 + (4 * (_book.Leases.Count + _book.RestingCount)) ? [.. _book.ToRecords()] : null;
            }

            Compact(compacted);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = $"leases cannot be written ({e.Message}): free space in stateDir; pods that start get no address until then";
            throw;
        }
        finally
        {
            batch.Appended.TrySetResult(false);
            _writing.Release();
        }
    }

    private void Compact(LeaseRecord[]? records)
    {
        if (records is null)
        {
            return;
        }

        try
        {
            _journal.Rewrite(records);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The long file is as good as the short one.
            Log.NotCompacted(_logger, e);
        }
    }

    /// <summary>The lease was never given.</summary>
    private void Revoke(Lease lease)
    {
        lock (_lock)
        {
            _book.Remove(lease.Key);
        }
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeSeconds();

    private sealed class Batch
    {
        public List<LeaseRecord> Records { get; } = [];

        /// <summary>Whether the file took the records; the disk may not have them yet.</summary>
        public TaskCompletionSource<bool> Appended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when the disk has them.</summary>
        public Task Written { get; set; } = Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(3100, LogLevel.Information, "Leases of {Path}: {Count} in use, {Resting} addresses rest")]
        public static partial void Opened(ILogger logger, string path, int count, int resting);

        [LoggerMessage(3101, LogLevel.Warning, "{Path}: {Count} lines were cut or damaged and are skipped (normal once after power loss); the file is rewritten")]
        public static partial void Damaged(ILogger logger, string path, int count);

        [LoggerMessage(3102, LogLevel.Warning, "The release of {ContainerId}/{IfName} could not be written: after a restart it is reconciled again")]
        public static partial void ReleaseNotWritten(ILogger logger, Exception e, string containerId, string ifName);

        [LoggerMessage(3103, LogLevel.Warning, "The lease file could not be compacted; it is kept as it is")]
        public static partial void NotCompacted(ILogger logger, Exception e);

        [LoggerMessage(3104, LogLevel.Information, "Pod {Pod}: container {ContainerId} is gone, its addresses {Addresses} are free again")]
        public static partial void Orphan(ILogger logger, string pod, string containerId, Topology.EquatableArray<string> addresses);

        [LoggerMessage(3105, LogLevel.Warning, "Pod {Pod}: container {ContainerId} is attached but had no lease; its addresses {Addresses} are noted again")]
        public static partial void Adopted(ILogger logger, string pod, string containerId, Topology.EquatableArray<string> addresses);
    }
}
