namespace Weft.Ctl.Tracing;

/// <summary>What becomes of a packet.</summary>
public enum Outcome
{
    /// <summary>It arrives at a pod or a node.</summary>
    Delivered = 0,

    /// <summary>It is handed to the host for the world outside.</summary>
    Leaves,

    /// <summary>Silence.</summary>
    Dropped,

    /// <summary>The sender is told no.</summary>
    Rejected,
}

/// <summary>The answer of a trace.</summary>
/// <param name="Outcome">What becomes of the packet.</param>
/// <param name="Reason">A CamelCase word for programs: <c>Isolated</c>, <c>DeniedByPolicy</c>, <c>SpoofedSource</c>, <c>NoRoute</c> … ; empty when delivered.</param>
/// <param name="Policies">The policies that decided: those that allowed it, or that dropped it.</param>
/// <param name="Node">Where it was decided.</param>
/// <param name="Sentence">The same in words.</param>
public sealed record Verdict(Outcome Outcome, string Reason, IReadOnlyList<string> Policies, string Node, string Sentence)
{
    /// <summary>True when the packet gets where it was sent.</summary>
    public bool IsGood => Outcome is Outcome.Delivered or Outcome.Leaves;
}
