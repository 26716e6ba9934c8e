using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>Gives the rules of cluster-wide policies their OpenFlow priorities: by the policy's priority, its id, and the rule's place in it. Immutable.</summary>
/// <remarks>
/// A switch has 65,536 priorities; 1,001 priorities of policies times 100 rules are more. Every priority has room for <see cref="Room"/> rules, and for more
/// where its policies have more, so that a policy which comes or goes moves others only when it has more than that. When the rooms do not fit any
/// more, priorities that no policy has get none. So 29,000 rules of one tier have an order on a node; what is beyond has the order of the last of them.
/// </remarks>
public sealed class PolicyOrder
{
    /// <summary>Rules that every priority has room for: as many as network-policy-api v1alpha2 allows a policy.</summary>
    public const int Room = 25;

    /// <summary>Priority of the rules of NetworkPolicy: they only allow, so they need no order.</summary>
    private const ushort NamespaceRule = 200;

    private const int Priorities = 1001;
    private const int First = 60_000;
    private const int Last = 1000;

    // Two for each rule, see PriorityOf.
    private const int Places = (First - Last) / 2;

    private readonly Dictionary<string, int> _places;

    private PolicyOrder(Dictionary<string, int> places) => _places = places;

    /// <summary>No policies.</summary>
    public static PolicyOrder Empty { get; } = new([]);

    /// <summary>The order of these policies; those of the Namespace tier have none.</summary>
    public static PolicyOrder Of(IEnumerable<Policy> policies)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var tier in policies.Where(p => p.Tier != PolicyTier.Namespace).GroupBy(p => p.Tier))
        {
            var byPriority = tier.ToLookup(p => Math.Clamp(p.Priority, 0, Priorities - 1));
            var rooms = Enumerable.Range(0, Priorities).Select(p => Math.Max(Room, byPriority[p].Sum(RulesOf))).Sum() <= Places ? Room : 0;
            var next = 0;
            for (var priority = 0; priority < Priorities; priority++)
            {
                var begin = next;
                foreach (var policy in byPriority[priority].OrderBy(p => p.Id, StringComparer.Ordinal))
                {
                    places[policy.Id] = next;
                    next += RulesOf(policy);
                }

                next = Math.Max(next, begin + rooms);
            }
        }

        return new PolicyOrder(places);
    }

    /// <summary>Whether this policy has a place.</summary>
    public bool Has(string policy) => _places.ContainsKey(policy);

    /// <summary>Policies that have another place there than here.</summary>
    public IEnumerable<string> MovedIn(PolicyOrder other) => other._places.Where(p => _places.TryGetValue(p.Key, out var place) && place != p.Value).Select(p => p.Key);

    /// <summary>The OpenFlow priority of a rule.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="alone">The rule needs no conjunction. It gets a priority of its own, because a flow that decides and a flow
    /// that contributes to conjunctions cannot share match and priority.</param>
    public ushort PriorityOf(Policy policy, PolicyRule rule, bool alone)
    {
        var priority = policy.Tier == PolicyTier.Namespace
            ? NamespaceRule
            : First - (2 * Math.Min(_places.GetValueOrDefault(policy.Id) + rule.Index, Places - 1));
        return (ushort)(priority + (alone ? 1 : 0));
    }

    private static int RulesOf(Policy policy) => policy.Rules.IsEmpty ? 0 : policy.Rules.Max(r => r.Index) + 1;
}
