using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Weft.Kubernetes;

namespace Weft.Controller.Publish;

/// <summary>Asks Kubernetes who has the token, and lets it in for the node that its pod runs on and for no other.</summary>
/// <remarks>Good answers are kept for a minute, by the token's hash. Kubernetes writes the node into the tokens of pods (1.30 and later); for
/// older ones the pod's object says it.</remarks>
/// <param name="client">The API.</param>
/// <param name="ns">Where the agents' account is.</param>
/// <param name="serviceAccount">The agents' account.</param>
/// <param name="time">The clock.</param>
/// <param name="audience">What tokens must be for; empty: the API server.</param>
public sealed class TokenReviewAuthentication(KubernetesClient client, string ns, string serviceAccount, TimeProvider time, string audience = "") : IAgentAuthentication
{
    private const int MostKept = 20_000;
    private const string NodeExtra = "authentication.kubernetes.io/node-name";
    private const string PodExtra = "authentication.kubernetes.io/pod-name";
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, (string Node, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<AuthenticationAnswer> CheckAsync(string token, string node, CancellationToken ct)
    {
        if (token.Length == 0)
        {
            return new AuthenticationAnswer(StatusCodes.Status401Unauthorized, "no token: set tokenFile in the agent's configuration");
        }

        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_known.TryGetValue(hash, out var kept) && kept.Until > time.GetUtcNow())
        {
            return Decide(kept.Node, node);
        }

        try
        {
            var review = new V1TokenReview { Spec = new V1TokenReviewSpec { Token = token, Audiences = audience.Length == 0 ? null : [audience] } };
            var status = (await client.CreateAsync(Resources.TokenReviews, null, review, ct).ConfigureAwait(false)).Status;
            if (status?.Authenticated != true)
            {
                return new AuthenticationAnswer(StatusCodes.Status401Unauthorized, $"Kubernetes does not accept the token: {status?.Error ?? "not authenticated"}");
            }

            // A server that knows no audiences takes any token: it does not say for whom the token is.
            if (audience.Length > 0 && status.Audiences?.Contains(audience) != true)
            {
                return new AuthenticationAnswer(StatusCodes.Status401Unauthorized, $"the token is not for {audience}: set the audience of the agent's projected token");
            }

            var wanted = $"system:serviceaccount:{ns}:{serviceAccount}";
            if (status.User?.Username != wanted)
            {
                return new AuthenticationAnswer(StatusCodes.Status403Forbidden, $"the token is of {status.User?.Username}, not of {wanted}");
            }

            if (await NodeOfAsync(status.User, ct).ConfigureAwait(false) is not { } owner)
            {
                return new AuthenticationAnswer(StatusCodes.Status403Forbidden, "the token is not bound to a pod: use a projected service-account token");
            }

            Keep(hash, owner);
            return Decide(owner, node);
        }
        catch (KubernetesException e)
        {
            return new AuthenticationAnswer(StatusCodes.Status503ServiceUnavailable, $"the token cannot be checked now: {e.Message}");
        }
    }

    private static AuthenticationAnswer Decide(string owner, string node) => owner == node
        ? AuthenticationAnswer.Allowed
        : new AuthenticationAnswer(StatusCodes.Status403Forbidden, $"the token belongs to node {owner}, not to {node}");

    private async Task<string?> NodeOfAsync(V1UserInfo user, CancellationToken ct)
    {
        if (user.Extra?.GetValueOrDefault(NodeExtra) is [var node, ..])
        {
            return node;
        }

        return user.Extra?.GetValueOrDefault(PodExtra) is [var pod, ..]
            ? (await client.ReadAsync(Resources.Pods, ns, pod, ct).ConfigureAwait(false))?.Spec?.NodeName
            : null;
    }

    private void Keep(string hash, string node)
    {
        if (_known.Count >= MostKept)
        {
            _known.Clear();
        }

        _known[hash] = (node, time.GetUtcNow() + KeepFor);
    }
}
