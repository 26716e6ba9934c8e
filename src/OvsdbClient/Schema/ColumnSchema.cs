namespace Weft.Ovsdb;

/// <summary>A column as the server describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="IsMutable">False when the value is fixed at insertion.</param>
/// <param name="IsEphemeral">True when the value may be lost with the server.</param>
public sealed record ColumnSchema(string Name, ColumnType Type, bool IsMutable, bool IsEphemeral);
