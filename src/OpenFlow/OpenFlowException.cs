namespace Weft.OpenFlow;

/// <summary>The base of everything this library throws by itself.</summary>
public class OpenFlowException : Exception
{
    /// <summary>Creates an exception.</summary>
    public OpenFlowException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>True when the same call may succeed later without a change by the caller (a lost connection, a time-out).</summary>
    public virtual bool IsTransient => false;
}

/// <summary>Bytes that are not what the OpenFlow 1.3 specification or Open vSwitch's extensions say.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="errorName">The OpenFlow error that Open vSwitch gives for it, e.g. "OFPBAC_BAD_LEN"; null when there is no certain one.</param>
public sealed class OpenFlowFormatException(string message, string? errorName = null) : OpenFlowException(message)
{
    /// <summary>The OpenFlow error that Open vSwitch gives for it, e.g. "OFPBAC_BAD_LEN"; null when there is no certain one.</summary>
    public string? ErrorName { get; } = errorName;
}

/// <summary>Text that is not ovs-ofctl syntax (ovs-fields(7), ovs-actions(7), ovs-ofctl(8)).</summary>
public sealed class OpenFlowTextException(string message) : OpenFlowException(message);

/// <summary>The connection ended, or there is none.</summary>
public sealed class OpenFlowConnectionException(string message, Exception? inner = null) : OpenFlowException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsTransient => true;
}

/// <summary>The switch does not offer OpenFlow 1.3, or refused the handshake. Trying again changes nothing.</summary>
public sealed class OpenFlowVersionException(string message) : OpenFlowException(message);

/// <summary>The switch answered a request with an error message.</summary>
public sealed class OpenFlowErrorException(Messages.ErrorMessage error, string what)
    : OpenFlowException($"{what}: the switch answered {error.Name}")
{
    /// <summary>What the switch said.</summary>
    public Messages.ErrorMessage Error { get; } = error;
}
