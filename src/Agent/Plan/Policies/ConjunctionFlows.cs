using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Instructions;

namespace Weft.Agent.Plan.Policies;

/// <summary>Flows that carry conjunction actions of many rules: one flow per condition, whoever needs it.</summary>
/// <remarks>Contributions are counted. <see cref="Flush"/> writes only flows whose set of actions changed.</remarks>
public sealed class ConjunctionFlows(OwnedEntries<FlowKey, Flow> flows)
{
    /// <summary>The owner of all of them in the plan.</summary>
    public const string Owner = "conjunctions";

    private static readonly ulong Cookie = Cookies.Of(FlowFeature.Policy, Owner);
    private readonly Dictionary<FlowKey, SortedList<ConjunctionRef, int>> _byKey = [];
    private readonly HashSet<FlowKey> _touched = [];

    /// <summary>The number of flows.</summary>
    public int Count => _byKey.Count;

    /// <summary>Adds an action to the flow with this key.</summary>
    public void Add(FlowKey key, ConjunctionRef conjunction)
    {
        if (!_byKey.TryGetValue(key, out var refs))
        {
            _byKey[key] = refs = new SortedList<ConjunctionRef, int>(1);
        }

        if (!refs.TryGetValue(conjunction, out var count))
        {
            _touched.Add(key);
        }

        refs[conjunction] = count + 1;
    }

    /// <summary>Takes back one <see cref="Add"/>.</summary>
    public void Remove(FlowKey key, ConjunctionRef conjunction)
    {
        if (!_byKey.TryGetValue(key, out var refs) || !refs.TryGetValue(conjunction, out var count))
        {
            return;
        }

        if (count > 1)
        {
            refs[conjunction] = count - 1;
            return;
        }

        refs.Remove(conjunction);
        _touched.Add(key);
        if (refs.Count == 0)
        {
            _byKey.Remove(key);
        }
    }

    /// <summary>Writes what changed since the last call into the plan.</summary>
    public void Flush()
    {
        foreach (var key in _touched)
        {
            if (!_byKey.TryGetValue(key, out var refs))
            {
                flows.Unset(Owner, key);
                continue;
            }

            var actions = new FlowStep[refs.Count];
            for (var i = 0; i < actions.Length; i++)
            {
                var r = refs.Keys[i];
                actions[i] = new Conjunction(r.Id, r.Clause, r.Clauses);
            }

            flows.Set(Owner, key, new Flow(key.Table, key.Priority, key.Match, FlowInstructions.Of(actions)) { Cookie = Cookie });
        }

        _touched.Clear();
    }
}
