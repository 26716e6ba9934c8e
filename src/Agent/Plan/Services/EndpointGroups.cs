using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>Select groups that share new connections equally among endpoints.</summary>
/// <remarks>
/// Open vSwitch gives a select group a table of 16 to 256 slots, the next power of two above total weight / least weight, and looks a hash
/// of the connection up in it: no packet leaves the fast path (ofproto-dpif.c, group_setup_dp_hash_table). With equal weights three
/// endpoints have 16 slots, 6 + 5 + 5, which is uneven. So one endpoint is split into two buckets, the smaller of which
/// makes the table about <see cref="SlotsForEach"/> times as large as there are endpoints. Above <see cref="MostInTable"/> endpoints 256 slots
/// are too few to be even; a bucket of almost no weight then makes the switch choose by a hash of every connection against every bucket, where
/// <see cref="EndpointSlots"/> do not choose before.
/// A group that would not fit into one message is split: a first group chooses the part, the part the endpoint.
/// </remarks>
public static class EndpointGroups
{
    /// <summary>Buckets that fit into one GroupMod with room to spare: an OpenFlow message has at most 64 KiB.</summary>
    public const int MostBuckets = 480;

    /// <summary>The most endpoints for which the table of 256 slots is even enough: 4 slots for each.</summary>
    public const int MostInTable = 64;

    private const int SlotsForEach = 16;
    private const int MostSlots = 256;
    private const ushort Weight = 1000;

    // Parts are filled to this on average; members are spread by hash, and one part must not overflow by chance.
    private const int PartTarget = 384;

    /// <summary>The groups; the one with <paramref name="id"/> is last, after those that it names.</summary>
    /// <param name="id">The id of the group that flows name.</param>
    /// <param name="endpoints">At least one.</param>
    /// <param name="choose">What a bucket does.</param>
    /// <param name="partId">The id of a part, by its number.</param>
    public static IReadOnlyList<Group> Of(uint id, IReadOnlyList<Endpoint> endpoints, Func<Endpoint, ActionList> choose, Func<int, uint> partId)
    {
        if (endpoints.Count <= MostBuckets)
        {
            return [Share(id, [.. endpoints.Select(choose)])];
        }

        var parts = Parts(endpoints);
        var groups = parts.Select((members, i) => Share(partId(i), [.. members.Select(choose)])).ToList();
        var whole = parts.Select((members, i) => new Bucket(ActionList.Of(new ToGroup(partId(i)))) { Weight = (ushort)members.Count }).ToList();
        groups.Add(new Group(id, GroupType.Select, Widened(whole, MostSlots)));
        return groups;
    }

    /// <summary>Divides by a hash of the endpoint, so that one more or one less changes one part. A power of two, so that parts seldom change their number.</summary>
    private static List<Endpoint>[] Parts(IReadOnlyList<Endpoint> endpoints)
    {
        for (var count = 2; ; count *= 2)
        {
            if (endpoints.Count > count * PartTarget)
            {
                continue;
            }

            var parts = new List<Endpoint>[count];
            foreach (var endpoint in endpoints)
            {
                (parts[StableHash.Of($"{endpoint.Address} {endpoint.Port}") % count] ??= []).Add(endpoint);
            }

            if (parts.All(p => p is not { Count: > MostBuckets }))
            {
                return [.. parts.Where(p => p is not null)];
            }
        }
    }

    private static Group Share(uint id, List<ActionList> choices)
    {
        var buckets = choices.ConvertAll(c => new Bucket(c) { Weight = Weight });
        return new Group(id, GroupType.Select, choices.Count switch
        {
            1 => [.. buckets],
            <= MostInTable => Widened(buckets, Math.Min(MostSlots, SlotsForEach * choices.Count)),

            // Total weight / least weight is above 256: no table.
            _ => [.. buckets, buckets[0] with { Weight = 1 }],
        });
    }

    /// <summary>Splits the heaviest bucket so that total / least weight lies between half of <paramref name="slots"/> and <paramref name="slots"/>.</summary>
    private static ImmutableArray<Bucket> Widened(List<Bucket> buckets, int slots)
    {
        var total = buckets.Sum(b => b.Weight);
        var least = (int)Math.Max(1, Math.Round(total / (0.75 * slots)));
        var heaviest = buckets.FindIndex(b => b.Weight == buckets.Max(o => o.Weight));
        if (buckets[heaviest].Weight <= 2 * least)
        {
            return [.. buckets];
        }

        var split = buckets[heaviest];
        buckets[heaviest] = split with { Weight = (ushort)(split.Weight - least) };
        return [.. buckets, split with { Weight = (ushort)least }];
    }
}
