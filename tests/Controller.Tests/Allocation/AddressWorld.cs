using Weft.Controller.Allocation;

namespace Weft.Controller.Tests.Allocation;

/// <summary>Pods that come and go, and one controller after the other that gives them addresses and dies; what a dead one wrote may arrive late.</summary>
internal sealed class AddressWorld
{
    private const string Subnet = "team/web";
    private readonly Dictionary<string, Pod> _pods = new(StringComparer.Ordinal);
    private readonly List<Write> _inFlight = [];
    private readonly Dictionary<string, string> _published = new(StringComparer.Ordinal);
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
    private readonly HashSet<string> _unsettled = [];

    // Pods whose claim once counted less than another's: what they were given instead may come late.
    private readonly HashSet<string> _contested = [];
    private AddressTable _leader = null!;
    private long _term;
    private int _uids;
    private long _versions;

    public AddressWorld() => Elect();

    public int Late { get; private set; }

    public int Refusals { get; private set; }

    public int Published { get; private set; }

    public int Contested { get; private set; }

    public void Step(int seed)
    {
        var detail = seed / 16;
        switch (seed % 16)
        {
            case < 4 when _pods.Count < 7:
                var wanted = detail % 4 == 0 ? $"10.0.0.{1 + (detail / 4 % 9)}" : null;
                _pods[$"u{++_uids}"] = new Pod(new AddressOwner($"u{_uids}", $"team/p{_uids}", _now), wanted) { Version = ++_versions };
                break;
            case 4 or 5 when _pods.Count > 0:
                Delete(_pods.Values.ElementAt(detail % _pods.Count));
                break;
            case 6:
                _now += TimeSpan.FromSeconds(detail % 90);
                break;
            case 7 or 8 when _pods.Count > 0:
                // Somebody else writes: versions of writes in flight are old now.
                _pods.Values.ElementAt(detail % _pods.Count).Version = ++_versions;
                break;
            case 9:
                Elect();
                break;
            case 10 or 11 or 12 when _pods.Count > 0:
                Decide(_pods.Values.ElementAt(detail % _pods.Count));
                break;
            default:
                Land(detail);
                break;
        }

        Publish();
    }

    /// <summary>A new leader knows what the objects say, and nothing else.</summary>
    private void Elect()
    {
        _term++;
        _leader = new AddressTable();
        _leader.SetSubnet(new SubnetPlan(Subnet, [Range("10.0.0.0/29"), Range("10.0.0.8/31")], [Range("10.0.0.1")]));
        _unsettled.Clear();
        foreach (var pod in _pods.Values)
        {
            Tell(pod);
            if (AddressClaim.Read(pod.Annotation, pod.Owner.Uid) is null)
            {
                _unsettled.Add(pod.Owner.Uid);
            }
        }
    }

    private void Decide(Pod pod)
    {
        Tell(pod);
        var answer = _leader.Take(pod.Owner, Subnet, pod.Wanted is null ? [] : [pod.Wanted], null, _term, _now);
        if (answer is { IsNew: true, Claim: { } claim })
        {
            _inFlight.Add(new Write(pod.Owner.Uid, pod.Version, claim.ToAnnotation(), _term));
        }

        if (answer.Refusal is not null)
        {
            // The reason is written into the pod, which ends what an earlier leader may still have on its way.
            Refusals++;
            pod.Version = ++_versions;
            _unsettled.Remove(pod.Owner.Uid);
        }
    }

    private void Land(int detail)
    {
        if (_inFlight.Count == 0)
        {
            return;
        }

        var write = _inFlight[detail % _inFlight.Count];
        _inFlight.Remove(write);
        if (detail % 7 != 0 && _pods.TryGetValue(write.Uid, out var pod) && pod.Version == write.Version)
        {
            Late += write.Term < _term ? 1 : 0;
            (pod.Annotation, pod.Version) = (write.Annotation, ++_versions);
            _unsettled.Remove(write.Uid);
            Tell(pod);
        }
    }

    private void Delete(Pod pod)
    {
        _pods.Remove(pod.Owner.Uid);
        _published.Remove(pod.Owner.Uid);
        _unsettled.Remove(pod.Owner.Uid);
        _leader.Gone(pod.Owner.Uid, _now);
    }

    private void Tell(Pod pod) => _leader.Seen(pod.Owner, AddressClaim.Read(pod.Annotation, pod.Owner.Uid), _now);

    private void Publish()
    {
        var held = _pods.Values.ToDictionary(p => p.Owner.Uid, p => _leader.Holds(p.Owner.Uid)?.Addresses[0]);
        _contested.UnionWith(_pods.Values.Where(p => p.Annotation is not null && held[p.Owner.Uid] is null && !_published.ContainsKey(p.Owner.Uid)).Select(p => p.Owner.Uid));
        if (_unsettled.Count > 0)
        {
            // Agents keep what they have.
            return;
        }

        Assert.That(held.Values.OfType<string>(), Is.Unique);
        foreach (var pod in _pods.Values)
        {
            var (uid, address) = (pod.Owner.Uid, held[pod.Owner.Uid]);
            if (_published.TryGetValue(uid, out var before) && !_contested.Contains(uid))
            {
                Assert.That(address, Is.EqualTo(before), $"{uid} lost its address");
            }
            else if (address is not null)
            {
                Assert.That(address, Is.EqualTo(pod.Wanted ?? address), "the address asked for");
                Assert.That(address, Is.Not.AnyOf("10.0.0.0", "10.0.0.1", "10.0.0.7"), "not for pods");
                _published[uid] = address;
                Published++;
            }
        }

        Contested = _contested.Count;
    }

    private static AddressRange Range(string text) => AddressRange.TryParse(text, out var range) ? range : throw new ArgumentException(text);

    private sealed record Write(string Uid, long Version, string Annotation, long Term);

    private sealed class Pod(AddressOwner owner, string? wanted)
    {
        public AddressOwner Owner => owner;

        public string? Wanted => wanted;

        public string? Annotation { get; set; }

        public long Version { get; set; }
    }
}
