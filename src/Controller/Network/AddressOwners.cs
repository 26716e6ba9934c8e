namespace Weft.Controller.Network;

/// <summary>Which pods have an address. Mostly one; two for a moment when an address is given again before the end of its old pod is told.</summary>
internal sealed class AddressOwners
{
    private readonly Dictionary<string, PodState> _first = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PodState>> _more = new(StringComparer.Ordinal);

    /// <summary>Whether any address has more than one owner now.</summary>
    public bool AnyShared => _more.Count > 0;

    public void Add(string address, PodState pod)
    {
        if (!_first.TryAdd(address, pod))
        {
            if (!_more.TryGetValue(address, out var others))
            {
                _more[address] = others = [];
            }

            others.Add(pod);
        }
    }

    public void Remove(string address, PodState pod)
    {
        if (_more.TryGetValue(address, out var others))
        {
            if (_first[address] == pod)
            {
                _first[address] = others[0];
                others.RemoveAt(0);
            }
            else
            {
                others.Remove(pod);
            }

            if (others.Count == 0)
            {
                _more.Remove(address);
            }

            return;
        }

        _first.Remove(address);
    }

    /// <summary>Whether a pod of the group has the address.</summary>
    public bool IsOwnedWithin(string address, PodGroup group) =>
        (_first.TryGetValue(address, out var pod) && pod.Class!.Groups.Contains(group))
        || (_more.TryGetValue(address, out var others) && others.Exists(p => p.Class!.Groups.Contains(group)));
}
