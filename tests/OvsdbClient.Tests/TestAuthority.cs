using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.TestSupport;

namespace Weft.Ovsdb.Tests;

/// <summary>An authority for one test, as <c>ovs-pki</c> would make one: PEM files in a folder.</summary>
internal sealed class TestAuthority
{
    private readonly TemporaryFolder _folder;
    private readonly X509Certificate2 _certificate;

    /// <summary>Writes <c>NAME-cert.pem</c>.</summary>
    public TestAuthority(TemporaryFolder folder, string name)
    {
        _folder = folder;
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
        File.WriteAllText(folder.File($"{name}-cert.pem"), _certificate.ExportCertificatePem());
    }

    /// <summary>Writes <c>NAME-cert.pem</c> and <c>NAME-key.pem</c> for a peer called NAME.</summary>
    public void Issue(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_certificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(_folder.File($"{name}-cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_folder.File($"{name}-key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}
