namespace Weft.Agent.Plan.Policies;

/// <summary>One conjunction action: "this flow satisfies clause <paramref name="Clause"/> of <paramref name="Clauses"/> of conjunction <paramref name="Id"/>".</summary>
/// <param name="Id">The conjunction.</param>
/// <param name="Clause">From 1, as ovs-ofctl writes it.</param>
/// <param name="Clauses">2 or 3 here (ovs-actions(7) allows 64).</param>
public readonly record struct ConjunctionRef(uint Id, byte Clause, byte Clauses) : IComparable<ConjunctionRef>
{
    /// <summary>Actions of one flow are kept in this order, so that equal sets give equal flows.</summary>
    public int CompareTo(ConjunctionRef other) => (Id, Clause, Clauses).CompareTo((other.Id, other.Clause, other.Clauses));
}
