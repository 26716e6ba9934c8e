using System.Text;

namespace Weft.Agent.Plan.Services;

/// <summary>Ids of groups that have no number from the controller: variants and parts of a Service's group.</summary>
/// <remarks>
/// An id is computed from the name, so that it is the same after a restart and the groups in the switch are found equal; only where two
/// names have the same hash does the order of their coming decide. They are 0x8000_0000 and up; the controller's numbers are below.
/// Not thread-safe; owned by the plan.
/// </remarks>
public sealed class GroupIds
{
    private const uint First = 0x8000_0000;

    // OFPG_MAX is 0xffffff00.
    private const uint Count = 0x7f00_0000;
    private readonly Dictionary<string, uint> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<uint> _used = [];

    /// <summary>The id of this name; the same until <see cref="Release"/>.</summary>
    public uint Of(string name)
    {
        if (_ids.TryGetValue(name, out var id))
        {
            return id;
        }

        id = First + (StableHash.Of(name) % Count);
        while (!_used.Add(id))
        {
            id = First + ((id - First + 1) % Count);
        }

        _ids[name] = id;
        return id;
    }

    /// <summary>The name of the group that holds only endpoints of this node.</summary>
    public static string Local(string balancer) => balancer + " local";

    /// <summary>The name of one part of a group.</summary>
    public static string Part(string name, int part) => $"{name} part {part}";

    /// <summary>Gives back the ids of a Service port that is gone.</summary>
    public void ReleaseOf(string balancer)
    {
        foreach (var name in new[] { balancer, Local(balancer) })
        {
            Release(name);
            for (var part = 0; Release(Part(name, part)); part++)
            {
                // Until the first that was never given.
            }
        }
    }

    private bool Release(string name) => _ids.Remove(name, out var id) && _used.Remove(id);
}

/// <summary>A hash that is the same in every process and version: what is in the switch depends on it.</summary>
internal static class StableHash
{
    /// <summary>FNV-1a over the UTF-8 bytes, mixed so that the low bits are as good as the high ones.</summary>
    public static uint Of(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ unit) * 1099511628211UL;
        }

        hash = (hash ^ (hash >> 32)) * 0x9E37_79B9_7F4A_7C15UL;
        return (uint)(hash >> 32);
    }
}
