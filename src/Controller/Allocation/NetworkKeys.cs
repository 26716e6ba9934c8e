namespace Weft.Controller.Allocation;

/// <summary>Network keys, kept in a ledger with optimistic concurrency.</summary>
/// <remarks>A key is stored before anybody is told of it, so a crash can lose an answer but not a decision. When a write fails in a way that
/// leaves open whether it happened, everything is read again before the next decision.</remarks>
public sealed class NetworkKeys : INetworkKeys, IDisposable
{
    /// <summary>The lowest key that is given: 1 is the default network, the others below are kept for networks of Weft's own.</summary>
    public const int First = 16;

    /// <summary>The highest key: 24 bits, which is what a VNI of Geneve and VXLAN holds; GRE's key of 32 bits and metadata hold it too.</summary>
    public const int Last = 0xFFFFFF;

    /// <summary>How long a key of an owner that is gone is not given again, at least.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    private const int Attempts = 5;
    private readonly IKeyStore _store;
    private readonly KeyLedger _ledger;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1);
    private StoredKeys? _keys;
    private volatile bool _isStale = true;

    /// <summary>Keys in a ConfigMap of Weft's namespace.</summary>
    public NetworkKeys(Weft.Kubernetes.KubernetesClient client, string ns, TimeProvider time)
        : this(new ConfigMapKeyStore(client, ns), new KeyLedger(First, Last, Rest), time)
    {
    }

    internal NetworkKeys(IKeyStore store, KeyLedger ledger, TimeProvider time) => (_store, _ledger, _time) = (store, ledger, time);

    /// <inheritdoc/>
    public async Task<KeyAssignment> ReconcileAsync(IReadOnlyCollection<NetworkOwner> owners, Func<int, bool> mayStillBeUsed, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var stored = await ReadAsync(ct).ConfigureAwait(false);
                var assignment = _ledger.Reconcile(stored, owners, mayStillBeUsed, _time.GetUtcNow());
                if (await TryWriteAsync(stored, ct).ConfigureAwait(false))
                {
                    return assignment;
                }

                if (attempt == Attempts)
                {
                    throw new Weft.Kubernetes.KubernetesException($"the ledger of network keys was changed by somebody else {Attempts} times in a row");
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Forget() => _isStale = true;

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<StoredKeys> ReadAsync(CancellationToken ct)
    {
        if (_keys is null || _isStale)
        {
            _isStale = false;
            _keys = null;
            _keys = await _store.ReadAsync(ct).ConfigureAwait(false);
        }

        return _keys;
    }

    private async Task<bool> TryWriteAsync(StoredKeys keys, CancellationToken ct)
    {
        if (!keys.IsChanged)
        {
            return true;
        }

        // Until it is stored nothing in memory may be believed: not after an exception, and not after a refusal.
        _keys = null;
        if (!await _store.TryWriteAsync(keys, ct).ConfigureAwait(false))
        {
            return false;
        }

        keys.IsChanged = false;
        _keys = keys;
        return true;
    }
}
