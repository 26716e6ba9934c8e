namespace Weft.Agent.CniServer;

/// <summary>One holder at a time for each key. Keys cost nothing while nobody holds or awaits them.</summary>
internal sealed class KeyedLock<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> _entries = [];

    /// <summary>Whether somebody holds or awaits the key.</summary>
    public bool IsBusy(TKey key)
    {
        lock (_entries)
        {
            return _entries.ContainsKey(key);
        }
    }

    /// <summary>Waits for the key; dispose the result to give it back.</summary>
    public async Task<IDisposable> AcquireAsync(TKey key, CancellationToken ct)
    {
        Entry? entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out entry))
            {
                _entries[key] = entry = new Entry();
            }

            entry.Users++;
        }

        var handle = new Handle(this, key, entry);
        try
        {
            await entry.Gate.WaitAsync(ct).ConfigureAwait(false);
            return handle;
        }
        catch
        {
            Leave(key, entry);
            throw;
        }
    }

    private void Leave(TKey key, Entry entry)
    {
        lock (_entries)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(key);
                entry.Gate.Dispose();
            }
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public int Users { get; set; }
    }

    private sealed class Handle(KeyedLock<TKey> owner, TKey key, Entry entry) : IDisposable
    {
        public void Dispose()
        {
            entry.Gate.Release();
            owner.Leave(key, entry);
        }
    }
}
