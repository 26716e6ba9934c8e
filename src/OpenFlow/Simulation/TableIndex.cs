using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>The flows of one table, found by tuple space search as in Open vSwitch: one hash table per set of masks.</summary>
internal sealed class TableIndex
{
    private readonly Dictionary<MaskSet, Subtable> _subtables = [];
    private Subtable[] _ordered = [];

    public void Add(Flow flow)
    {
        var indexed = new IndexedFlow(flow);
        var masks = new MaskSet(indexed.Conditions);
        if (!_subtables.TryGetValue(masks, out var subtable))
        {
            _subtables.Add(masks, subtable = new Subtable(indexed.Conditions));
            _ordered = [.. _subtables.Values];
        }

        subtable.Add(indexed);
    }

    /// <summary>The flow that the packet meets; null for a miss. Conjunctive flows count by clause (ovs-fields(7) "Conjunctive Match").</summary>
    public Flow? Find(SimulatedPacket packet)
    {
        IndexedFlow? hard = null;
        List<IndexedFlow>? soft = null;
        foreach (var subtable in _ordered)
        {
            subtable.Find(packet, ref hard, ref soft);
        }

        if (soft is not null && Conjunctive(packet, soft, hard?.Flow.Priority ?? -1) is { } id)
        {
            var before = packet[Fields.Fields.ConjId];
            packet[Fields.Fields.ConjId] = id;
            IndexedFlow? found = null;
            List<IndexedFlow>? ignored = null;
            foreach (var subtable in _ordered)
            {
                subtable.Find(packet, ref found, ref ignored);
            }

            packet[Fields.Fields.ConjId] = before;
            if (found is not null && found.Flow.Match.TryGet(Fields.Fields.ConjId, out _))
            {
                return found.Flow;
            }
        }

        return hard?.Flow;
    }

    /// <summary>The id of a conjunction whose clauses all match, at the highest priority that is not below the hard match's.</summary>
    private static uint? Conjunctive(SimulatedPacket packet, List<IndexedFlow> soft, int hardPriority)
    {
        _ = packet;
        foreach (var level in soft.Where(s => s.Flow.Priority >= hardPriority).GroupBy(s => s.Flow.Priority).OrderByDescending(g => g.Key))
        {
            var seen = new Dictionary<uint, ulong>();
            foreach (var conjunction in level.SelectMany(s => s.Conjunctions))
            {
                var clauses = seen.GetValueOrDefault(conjunction.Id) | (1UL << (conjunction.Clause - 1));
                if (clauses == ulong.MaxValue >> (64 - conjunction.Clauses))
                {
                    return conjunction.Id;
                }

                seen[conjunction.Id] = clauses;
            }
        }

        return null;
    }

    private sealed class IndexedFlow
    {
        public IndexedFlow(Flow flow)
        {
            Flow = flow;
            Conditions = flow.Match.ToArray();
            var conjunctions = new List<Conjunction>();
            foreach (var action in flow.Instructions.Applied)
            {
                if (action is not Conjunction conjunction)
                {
                    conjunctions.Clear();
                    break;
                }

                conjunctions.Add(conjunction);
            }

            Conjunctions = [.. conjunctions];
        }

        public Flow Flow { get; }

        public FieldMatch[] Conditions { get; }

        public Conjunction[] Conjunctions { get; }
    }

    private readonly struct MaskSet(FieldMatch[] conditions) : IEquatable<MaskSet>
    {
        private readonly FieldMatch[] _conditions = conditions;

        public bool Equals(MaskSet other)
        {
            if (_conditions.Length != other._conditions.Length)
            {
                return false;
            }

            for (var i = 0; i < _conditions.Length; i++)
            {
                if (_conditions[i].Field != other._conditions[i].Field || _conditions[i].Mask != other._conditions[i].Mask)
                {
                    return false;
                }
            }

            return true;
        }

        public override bool Equals(object? obj) => obj is MaskSet other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (var c in _conditions)
            {
                hash.Add(c.Field.Order);
                hash.Add(c.Mask);
            }

            return hash.ToHashCode();
        }
    }

    private sealed class Subtable(FieldMatch[] masks)
    {
        private readonly Dictionary<int, List<IndexedFlow>> _flows = [];
        private int _maxPriority = -1;
        private bool _hasConjunctions;

        public void Add(IndexedFlow flow)
        {
            var hash = new HashCode();
            foreach (var c in flow.Conditions)
            {
                hash.Add(c.Value);
            }

            var key = hash.ToHashCode();
            if (!_flows.TryGetValue(key, out var list))
            {
                _flows.Add(key, list = []);
            }

            list.RemoveAll(f => f.Flow.Key == flow.Flow.Key);
            list.Add(flow);
            _maxPriority = Math.Max(_maxPriority, flow.Flow.Priority);
            _hasConjunctions |= flow.Conjunctions.Length > 0;
        }

        public void Find(SimulatedPacket packet, ref IndexedFlow? hard, ref List<IndexedFlow>? soft)
        {
            if (!_hasConjunctions && hard is not null && hard.Flow.Priority >= _maxPriority)
            {
                return;
            }

            var hash = new HashCode();
            foreach (var c in masks)
            {
                hash.Add(packet[c.Field] & c.Mask);
            }

            if (!_flows.TryGetValue(hash.ToHashCode(), out var list))
            {
                return;
            }

            foreach (var flow in list)
            {
                if (!packet.Satisfies(flow.Flow.Match))
                {
                    continue;
                }

                if (flow.Conjunctions.Length > 0)
                {
                    (soft ??= []).Add(flow);
                }
                else if (hard is null || flow.Flow.Priority > hard.Flow.Priority)
                {
                    hard = flow;
                }
            }
        }
    }
}
