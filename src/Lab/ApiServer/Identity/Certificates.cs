using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Lab.ApiServer;

/// <summary>The certificates of one API server: its authority is kept in the state directory, the rest is made at each start.</summary>
public sealed class Certificates : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly DateTimeOffset _now;

    private Certificates(X509Certificate2 authority, DateTimeOffset now)
    {
        _authority = authority;
        _now = now;
    }

    /// <summary>The authority's certificate in PEM.</summary>
    public string AuthorityPem => _authority.ExportCertificatePem();

    /// <summary>Takes ca.crt and ca.key of the folder, or makes them.</summary>
    public static Certificates Open(string directory, DateTimeOffset now)
    {
        var (certFile, keyFile) = (Path.Combine(directory, "ca.crt"), Path.Combine(directory, "ca.key"));
        if (File.Exists(certFile) && File.Exists(keyFile))
        {
            return new Certificates(X509Certificate2.CreateFromPemFile(certFile, keyFile), now);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=weft-lab", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var authority = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));
        File.WriteAllText(certFile, authority.ExportCertificatePem());
        WriteSecret(keyFile, key.ExportPkcs8PrivateKeyPem());
        return new Certificates(authority, now);
    }

    public X509Certificate2 MakeServer(IEnumerable<IPAddress> addresses, IEnumerable<string> names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var address in addresses.Distinct())
        {
            alternatives.AddIpAddress(address);
        }

        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Sign("CN=kube-apiserver", key, "1.3.6.1.5.5.7.3.1", alternatives.Build());
        return X509CertificateLoader.LoadPkcs12(certificate.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A client's certificate and key in PEM; user and groups are in the subject, as Kubernetes wants it.</summary>
    public (string Certificate, string Key) MakeClient(string user, string group)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Sign($"CN={user}, O={group}", key, "1.3.6.1.5.5.7.3.2", null);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>As <see cref="MakeClient"/>, ready for a TLS connection of this process.</summary>
    public X509Certificate2 MakeClientCertificate(string user, string group)
    {
        var (certificate, key) = MakeClient(user, group);
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Signed by our authority and valid now.</summary>
    public bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    public void Dispose() => _authority.Dispose();

    /// <summary>Writes a file that only its owner reads.</summary>
    internal static void WriteSecret(string path, string text)
    {
        File.WriteAllText(path, "");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, text);
    }

    private X509Certificate2 Sign(string subject, ECDsa key, string usage, X509Extension? alternatives)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        if (alternatives is not null)
        {
            request.CertificateExtensions.Add(alternatives);
        }

        return request.Create(_authority, _now.AddHours(-1), _now.AddYears(5), RandomNumberGenerator.GetBytes(16));
    }
}
