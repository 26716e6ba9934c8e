using Weft.TestSupport;
using Weft.Controller.Allocation;

namespace Weft.Controller.Tests.Allocation;

/// <summary>A cluster in miniature: networks come and go, nodes use keys until they hear of the end, and two controllers take turns or overlap.</summary>
internal sealed class KeyWorld(int first, int last)
{
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);
    private readonly SettableClock _time = new(DateTimeOffset.UnixEpoch);
    private readonly List<NetworkOwner> _owners = [];
    private readonly NetworkKeys?[] _controllers = new NetworkKeys?[2];

    // Which owner's flows with a key are on the nodes: what must never be two.
    private readonly Dictionary<int, string> _onNodes = [];
    private readonly Dictionary<string, int> _told = new(StringComparer.Ordinal);
    private readonly HashSet<int> _everUsed = [];
    private CrashPoint _nextWrite;
    private int _uids;

    public CrashingKeyStore Store { get; } = new();

    /// <summary>Keys that were given to a second owner after the first was gone.</summary>
    public int Reused { get; private set; }

    public void Step(int seed)
    {
        var detail = seed / 8;
        switch (seed % 8)
        {
            case 0 or 1 when _owners.Count < 8:
                _owners.Add(new NetworkOwner($"uid-{++_uids}", $"net-{_uids}"));
                break;
            case 2 when _owners.Count > 0:
                _owners.RemoveAt(detail % _owners.Count);
                break;
            case 3:
                _time.Advance(TimeSpan.FromMinutes(detail % 15));
                break;
            case 4:
                NodesHear();
                break;
            default:
                _nextWrite = (CrashPoint)(detail % 5 > 2 ? 0 : detail % 3);
                Reconcile(detail % 2);
                break;
        }
    }

    private void Reconcile(int controller)
    {
        var keys = _controllers[controller] ??= new NetworkKeys(Store.Door(TakeCrash), new KeyLedger(first, last, Rest), _time);
        try
        {
            // Each reads anew at the start of its turn only every other time: a deposed one does not know that it is.
            var assignment = keys.ReconcileAsync(_owners, _onNodes.ContainsKey, default).GetAwaiter().GetResult();
            foreach (var (uid, key) in assignment.Keys)
            {
                Use(uid, key);
            }
        }
        catch (IOException)
        {
            // It is dead; another process starts with nothing but the store.
            keys.Dispose();
            _controllers[controller] = null;
        }
    }

    private CrashPoint TakeCrash()
    {
        var point = _nextWrite;
        _nextWrite = CrashPoint.Never;
        return point;
    }

    private void Use(string uid, int key)
    {
        Assert.That(key, Is.InRange(first, last));
        if (_onNodes.TryGetValue(key, out var user))
        {
            Assert.That(user, Is.EqualTo(uid), $"key {key} is still on nodes");
        }

        if (_told.TryGetValue(uid, out var before))
        {
            Assert.That(key, Is.EqualTo(before), $"the key of {uid} changed");
        }
        else if (!_everUsed.Add(key))
        {
            Reused++;
        }

        (_onNodes[key], _told[uid]) = (uid, key);
    }

    private void NodesHear()
    {
        foreach (var (key, uid) in _onNodes.ToList())
        {
            if (!_owners.Exists(o => o.Uid == uid))
            {
                _onNodes.Remove(key);
            }
        }
    }
}
