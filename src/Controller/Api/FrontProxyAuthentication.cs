using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Weft.Kubernetes;

namespace Weft.Controller.Api;

/// <summary>Lets in whom the API server vouches for, and asks it what they may do: the contract of aggregated APIs.</summary>
/// <remarks>The API server shows a client certificate of the authority in <c>kube-system/extension-apiserver-authentication</c> and names the
/// user in headers; anybody else's headers are worth nothing.</remarks>
internal sealed class FrontProxyAuthentication(KubernetesClient client, TimeProvider time)
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(1);
    private (X509Certificate2Collection Authorities, string[] Names, DateTimeOffset Until)? _known;

    /// <summary>Checks a request.</summary>
    /// <returns>Why it is refused, with the status to say so; null when it may go on.</returns>
    public async Task<(int Status, string Reason)?> RefusalAsync(HttpContext http, TopologyKind? kind, string verb, CancellationToken ct)
    {
        try
        {
            if (http.Connection.ClientCertificate is not { } certificate || !await IsFrontProxyAsync(certificate, ct).ConfigureAwait(false))
            {
                return (StatusCodes.Status401Unauthorized, "ask the Kubernetes API server: this API is served through it only");
            }

            if (kind is null)
            {
                return null;
            }

            var user = http.Request.Headers["X-Remote-User"].ToString();
            var review = new V1SubjectAccessReview
            {
                Spec = new V1SubjectAccessReviewSpec
                {
                    User = user,
                    Groups = [.. http.Request.Headers["X-Remote-Group"].OfType<string>()],
                    ResourceAttributes = new V1ResourceAttributes { Group = TopologyKind.Group, Resource = kind.Plural, Verb = verb },
                },
            };
            var answer = await client.CreateAsync(Resources.SubjectAccessReviews, null, review, ct).ConfigureAwait(false);
            return answer.Status?.Allowed == true ? null : (StatusCodes.Status403Forbidden, $"user {user} may not {verb} {kind.Plural}.{TopologyKind.Group}");
        }
        catch (KubernetesException e)
        {
            return (StatusCodes.Status503ServiceUnavailable, $"rights cannot be checked now: {e.Message}");
        }
    }

    private async Task<bool> IsFrontProxyAsync(X509Certificate2 certificate, CancellationToken ct)
    {
        if (_known is not { } known || known.Until < time.GetUtcNow())
        {
            _known = known = await ReadAsync(ct).ConfigureAwait(false);
        }

        if (known.Names.Length > 0 && !known.Names.Contains(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)))
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(known.Authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private async Task<(X509Certificate2Collection, string[], DateTimeOffset)> ReadAsync(CancellationToken ct)
    {
        var map = await client.ReadAsync(Resources.ConfigMaps, "kube-system", "extension-apiserver-authentication", ct).ConfigureAwait(false);
        var authorities = new X509Certificate2Collection();
        if (map?.Data?.GetValueOrDefault("requestheader-client-ca-file") is { } pem)
        {
            authorities.ImportFromPem(pem);
        }

        var names = map?.Data?.GetValueOrDefault("requestheader-allowed-names") is { } list
            ? JsonDocument.Parse(list).RootElement.EnumerateArray().Select(n => n.GetString()!).ToArray()
            : [];
        return (authorities, names, time.GetUtcNow() + KeepFor);
    }
}
