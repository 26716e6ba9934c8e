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

/// <summary>What became of a bundle: everything in it is in effect, or nothing.</summary>
/// <param name="Failures">Empty when it was committed.</param>
public sealed record BundleOutcome(ImmutableArray<MessageFailure> Failures)
{
    /// <summary>True when everything is in effect.</summary>
    public bool Committed => Failures.IsEmpty;

    /// <summary>Throws when it was not committed.</summary>
    /// <exception cref="OpenFlowErrorException">The first failure.</exception>
    public void ThrowIfFailed()
    {
        if (!Committed)
        {
            throw new OpenFlowErrorException(Failures[0].Error, $"bundle not applied, {Failures[0]}");
        }
    }
}
