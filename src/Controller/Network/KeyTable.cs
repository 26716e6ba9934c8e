namespace Weft.Controller.Network;

/// <summary>Gives objects numbers that are unique while they exist: 1 to 2,147,483,647.</summary>
/// <remarks>A number is computed from the object's id, so that it survives a restart of the controller, and a standby gives the same, without
/// being stored anywhere. Only where two ids have the same hash does the order of arrival decide, which the next number settles.</remarks>
internal sealed class KeyTable
{
    private readonly HashSet<int> _used = [];

    public int Take(string id)
    {
        var key = Hash(id);
        while (!_used.Add(key))
        {
            key = key == int.MaxValue ? 1 : key + 1;
        }

        return key;
    }

    public void Release(int key) => _used.Remove(key);

    /// <summary>FNV-1a over the UTF-16 units, folded to 31 bits: the same on every machine and in every version.</summary>
    private static int Hash(string id)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in id)
        {
            hash = (hash ^ unit) * 1099511628211UL;
        }

        var folded = (int)((hash ^ (hash >> 32)) & 0x7FFFFFFF);
        return folded == 0 ? 1 : folded;
    }
}
