namespace Weft.Lab.ApiServer;

/// <summary>An expression cannot be read, or fails for the values that it got.</summary>
public sealed class CelException(string message) : Exception(message);
