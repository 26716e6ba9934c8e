namespace Weft.Controller.Allocation;

/// <summary>Who needs a network key: one life of one object.</summary>
/// <param name="Uid">The object's <c>metadata.uid</c>. An object that is deleted and made again is another owner.</param>
/// <param name="Name">Its name, for people who read the ledger.</param>
/// <param name="KnownKey">What the object's own status says, or null. It is only used when the ledger lost the owner's entry.</param>
public sealed record NetworkOwner(string Uid, string Name, int? KnownKey = null);
