namespace Weft.Ovsdb;

/// <summary>The server refused one request; the connection goes on.</summary>
public sealed class OvsdbRequestException : OvsdbException
{
    /// <summary>Describes the refusal.</summary>
    public OvsdbRequestException(string method, string error, string? details)
        : base($"the server refused \"{method}\": {error}{(details is null ? "" : $" ({details})")}")
    {
        Method = method;
        Error = error;
        Details = details;
    }

    /// <summary>The refused method, such as <c>get_schema</c>.</summary>
    public string Method { get; }

    /// <summary>The server's error string, such as <c>unknown database</c>.</summary>
    public string Error { get; }

    /// <summary>The server's explanation, when it gave one.</summary>
    public string? Details { get; }

    /// <inheritdoc/>
    public override bool IsTransient => Error is "not leader" or "canceled" or "resources exhausted";
}
