namespace Weft.Lab;

/// <summary>Something that the person at the keyboard can act on; the message says what happened and what to do.</summary>
public sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
