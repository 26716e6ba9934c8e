namespace Weft.Ctl;

/// <summary>The question cannot be answered; the message says why and what to do. Exit code <see cref="ExitCodes.Failed"/>.</summary>
public sealed class CtlException(string message, Exception? inner = null) : Exception(message, inner);
