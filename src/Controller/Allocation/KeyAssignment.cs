namespace Weft.Controller.Allocation;

/// <summary>Which owner has which key. Everything in it is stored: it is the same after any crash.</summary>
/// <param name="Keys">Owners' uids and their keys.</param>
/// <param name="Refused">Owners that got none, with the reason and the remedy.</param>
public sealed record KeyAssignment(IReadOnlyDictionary<string, int> Keys, IReadOnlyDictionary<string, string> Refused);
