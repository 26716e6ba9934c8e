using Weft.Controller.Allocation;

namespace Weft.Controller.Tests.Allocation;

/// <summary>A ledger in memory that many controllers share, each through a door of its own that can crash before or after a write.</summary>
internal sealed class CrashingKeyStore
{
    private StoredKeys? _stored;
    private int _versions;

    public int Writes { get; private set; }

    public int Crashes { get; private set; }

    public int Conflicts { get; private set; }

    public void Lose() => _stored = null;

    public IKeyStore Door(Func<CrashPoint> next) => new Entrance(this, next);

    private static StoredKeys Copy(StoredKeys keys)
    {
        var copy = new StoredKeys { Version = keys.Version, Next = keys.Next };
        foreach (var (key, entry) in keys.Entries)
        {
            copy.Entries[key] = KeyEntry.Read(entry.ToString())!;
        }

        return copy;
    }

    private bool Write(StoredKeys keys)
    {
        if (keys.Version != _stored?.Version)
        {
            Conflicts++;
            return false;
        }

        Writes++;
        keys.Version = $"{++_versions}";
        _stored = Copy(keys);
        return true;
    }

    private void Crash()
    {
        Crashes++;
        throw new IOException("crash");
    }

    private sealed class Entrance(CrashingKeyStore store, Func<CrashPoint> next) : IKeyStore
    {
        public Task<StoredKeys> ReadAsync(CancellationToken ct) => Task.FromResult(store._stored is { } stored ? Copy(stored) : new StoredKeys());

        public Task<bool> TryWriteAsync(StoredKeys keys, CancellationToken ct)
        {
            var point = next();
            if (point == CrashPoint.Before)
            {
                store.Crash();
            }

            var written = store.Write(keys);
            if (point == CrashPoint.After)
            {
                store.Crash();
            }

            return Task.FromResult(written);
        }
    }
}

/// <summary>Where a controller dies.</summary>
internal enum CrashPoint
{
    Never,
    Before,
    After,
}
