namespace Weft.Controller.Publish;

/// <summary>Decides whether who shows a token may be the agent of a node. Safe to use from any thread.</summary>
public interface IAgentAuthentication
{
    /// <summary>Checks a token; an empty one is none.</summary>
    Task<AuthenticationAnswer> CheckAsync(string token, string node, CancellationToken ct);
}

/// <summary>The decision.</summary>
/// <param name="Status">The HTTP status to refuse with: 401 for no good token, 403 for the wrong node, 503 when it could not be checked; 200 to allow.</param>
/// <param name="Message">What is wrong and what to do.</param>
public readonly record struct AuthenticationAnswer(int Status, string Message)
{
    /// <summary>Allowed.</summary>
    public static readonly AuthenticationAnswer Allowed = new(StatusCodes.Status200OK, "");

    /// <summary>Whether it is.</summary>
    public bool IsAllowed => Status == StatusCodes.Status200OK;
}

/// <summary>Lets everybody in: for laboratories.</summary>
public sealed class NoAuthentication : IAgentAuthentication
{
    /// <inheritdoc/>
    public Task<AuthenticationAnswer> CheckAsync(string token, string node, CancellationToken ct) => Task.FromResult(AuthenticationAnswer.Allowed);
}
