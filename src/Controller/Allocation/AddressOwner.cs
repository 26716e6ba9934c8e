namespace Weft.Controller.Allocation;

/// <summary>Who has addresses: one life of one pod.</summary>
/// <param name="Uid">The pod's uid.</param>
/// <param name="Name"><c>namespace/name</c>, for messages.</param>
/// <param name="Created">When it was made: of two claims of one term that of the older pod counts.</param>
public sealed record AddressOwner(string Uid, string Name, DateTimeOffset Created);

/// <summary>The answer to a pod that needs addresses.</summary>
/// <param name="Claim">What it has; null: nothing.</param>
/// <param name="IsNew">The claim is not known to be stored: write it to the pod, and tell nobody before that is done.</param>
/// <param name="Refusal">Why it has none, and the remedy; null when it has.</param>
public readonly record struct AddressAnswer(AddressClaim? Claim, bool IsNew, string? Refusal);
