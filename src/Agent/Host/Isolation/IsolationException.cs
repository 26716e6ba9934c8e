namespace Weft.Agent.Host.Isolation;

/// <summary>The kubelet cannot be told from other processes of the host; the message says why and what helps.</summary>
public sealed class IsolationException(string message, Exception? inner = null) : Exception(message, inner);
