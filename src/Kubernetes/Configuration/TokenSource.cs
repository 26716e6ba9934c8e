using System.Security.Cryptography.X509Certificates;

namespace Weft.Kubernetes;

/// <summary>Gives the bearer token for the next request, or null for none. Safe to use from any thread.</summary>
public abstract class TokenSource
{
    /// <summary>No token.</summary>
    public static readonly TokenSource None = new Fixed(null);

    /// <summary>Always this token.</summary>
    public static TokenSource Of(string token) => new Fixed(token);

    /// <summary>The token in a file, read again when it is a minute old (projected tokens rotate).</summary>
    public static TokenSource FromFile(string path, TimeProvider? time = null) => new FileToken(path, time ?? TimeProvider.System);

    /// <summary>The client certificate that came with what <see cref="GetAsync"/> last gave, for the connections that are made from now on; null for none.</summary>
    public virtual X509Certificate2? Certificate => null;

    /// <summary>The token to use now.</summary>
    /// <exception cref="KubernetesException">There is none to be had; the message says why.</exception>
    public abstract ValueTask<string?> GetAsync(CancellationToken ct);

    private sealed class Fixed(string? token) : TokenSource
    {
        public override ValueTask<string?> GetAsync(CancellationToken ct) => ValueTask.FromResult(token);
    }

    private sealed class FileToken(string path, TimeProvider time) : TokenSource
    {
        private (string Token, DateTimeOffset ReadAt)? _last;

        public override async ValueTask<string?> GetAsync(CancellationToken ct)
        {
            var now = time.GetUtcNow();
            if (_last is { } last && now - last.ReadAt < TimeSpan.FromMinutes(1))
            {
                return last.Token;
            }

            try
            {
                var token = (await File.ReadAllTextAsync(path, ct).ConfigureAwait(false)).Trim();
                _last = (token, now);
                return token;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // An old token may still be good; the API server decides.
                return _last?.Token ?? throw new KubernetesException($"{path}: the token cannot be read: {e.Message}", e);
            }
        }
    }
}
