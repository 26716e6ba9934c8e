using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Ovsdb;

/// <summary>Keys and certificates for <c>ssl:</c> endpoints, as PEM files. Read anew for every connection, so replaced files count from the next one.</summary>
public sealed record TlsSettings
{
    /// <summary>The certificates of the authorities that the peer's certificate must come from. The system's own are not trusted.</summary>
    public required string CaCertificateFile { get; init; }

    /// <summary>This side's certificate; null connects without one, which ovsdb-server refuses unless told otherwise.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The key of <see cref="CertificateFile"/>.</summary>
    public string? PrivateKeyFile { get; init; }

    /// <summary>The name that the peer's certificate must carry. Null checks the authority only, as the Open vSwitch programs do.</summary>
    public string? PeerName { get; init; }

    /// <summary>Makes a connection secure, as the side that connected or as the side that listened.</summary>
    internal async Task<SslStream> SecureAsync(Stream stream, bool asServer, CancellationToken cancellationToken)
    {
        var (authorities, own) = Load();
        string? refusal = null;
        bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
            (refusal = Refuse(certificate, authorities, errors)) is null;

        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            if (asServer)
            {
                await secure.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = own ?? throw new InvalidOperationException("a TLS listener needs CertificateFile and PrivateKeyFile"),
                        ClientCertificateRequired = true, RemoteCertificateValidationCallback = Accept,
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await secure.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = PeerName ?? "", ClientCertificates = own is null ? null : [own], RemoteCertificateValidationCallback = Accept,
                    },
                    cancellationToken).ConfigureAwait(false);
            }

            return secure;
        }
        catch (System.Security.Authentication.AuthenticationException e)
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw new OvsdbConnectionException($"TLS: {refusal ?? e.Message}", e);
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private (X509Certificate2Collection Authorities, X509Certificate2? Own) Load()
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(CaCertificateFile);
            return (authorities, CertificateFile is null ? null : X509Certificate2.CreateFromPemFile(CertificateFile, PrivateKeyFile));
        }
        catch (Exception e) when (e is IOException or System.Security.Cryptography.CryptographicException or UnauthorizedAccessException)
        {
            throw new OvsdbConnectionException(
                $"TLS: cannot read {CaCertificateFile}, {CertificateFile ?? "no certificate"} and {PrivateKeyFile ?? "no key"} as PEM: {e.Message}", e);
        }
    }

    private string? Refuse(X509Certificate? certificate, X509Certificate2Collection authorities, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return "the peer sent no certificate";
        }

        if (PeerName is not null && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"the peer's certificate is not for \"{PeerName}\" but for {certificate.Subject}";
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        // The Open vSwitch PKI publishes no revocation lists.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()))
            ? null
            : $"the peer's certificate ({certificate.Subject}) does not come from {CaCertificateFile}: "
                + string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()));
    }
}
