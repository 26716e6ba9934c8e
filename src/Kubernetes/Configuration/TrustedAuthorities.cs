using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Kubernetes;

/// <summary>The certificate authorities that may sign the API server's certificate. A file is read again when it changes (rotation).</summary>
/// <remarks>Safe to use from any thread.</remarks>
public sealed class TrustedAuthorities
{
    private readonly string? _file;
    private readonly Lock _lock = new();
    private X509Certificate2Collection _certificates = [];
    private DateTime _readAt;

    private TrustedAuthorities(string? file) => _file = file;

    /// <summary>Authorities given as PEM text.</summary>
    /// <exception cref="KubernetesException">The text holds no certificate.</exception>
    public static TrustedAuthorities FromPem(string pem, string where) => new(null) { _certificates = Parse(pem, where) };

    /// <summary>Authorities in a PEM file.</summary>
    /// <exception cref="KubernetesException">The file cannot be read or holds no certificate.</exception>
    public static TrustedAuthorities FromFile(string path)
    {
        var authorities = new TrustedAuthorities(path);
        authorities.Current();
        return authorities;
    }

    /// <summary>Checks a server's certificate: signed by one of these authorities, valid now, and for the server's name.</summary>
    public bool Accepts(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Current());
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()));
    }

    private X509Certificate2Collection Current()
    {
        if (_file is null)
        {
            return _certificates;
        }

        lock (_lock)
        {
            try
            {
                var written = File.GetLastWriteTimeUtc(_file);
                if (written != _readAt)
                {
                    _certificates = Parse(File.ReadAllText(_file), _file);
                    _readAt = written;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Between two versions of a rotated file the old authorities still hold.
                if (_certificates.Count == 0)
                {
                    throw new KubernetesException($"{_file}: the certificate authority cannot be read: {e.Message}", e);
                }
            }

            return _certificates;
        }
    }

    private static X509Certificate2Collection Parse(string pem, string where)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new KubernetesException($"{where}: not a PEM certificate: {e.Message}", e);
        }

        return found.Count > 0 ? found : throw new KubernetesException($"{where}: holds no PEM certificate");
    }
}
