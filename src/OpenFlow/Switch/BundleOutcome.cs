using System.Collections.Immutable;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Switch;

/// <summary>A message that the switch refused.</summary>
/// <param name="Index">Its place among the messages sent, from 0; -1 when the switch did not say which.</param>
/// <param name="Message">The message.</param>
/// <param name="Error">Why.</param>
public sealed record MessageFailure(int Index, OpenFlowMessage? Message, ErrorMessage Error)
{
    /// <inheritdoc/>
    public override string ToString() => $"message {Index} ({(Message is FlowMod mod ? $"{mod.Command} {mod.Flow}" : Message?.GetType().Name)}): {Error.Name}";
}

/// <summary>What became of a bundle.</summary>
/// <param name="Committed">Everything but the failures is in effect; otherwise nothing is.</param>
/// <param name="Failures">What the switch refused.</param>
public sealed record BundleOutcome(bool Committed, ImmutableArray<MessageFailure> Failures)
{
    internal static BundleOutcome Nothing { get; } = new(true, []);

    /// <summary>Throws when something was refused.</summary>
    /// <exception cref="OpenFlowErrorException">The first failure.</exception>
    public void ThrowIfFailed()
    {
        if (!Failures.IsEmpty)
        {
            throw new OpenFlowErrorException(Failures[0].Error, $"{(Committed ? "bundle applied without" : "bundle not applied,")} {Failures[0]}");
        }
    }
}
