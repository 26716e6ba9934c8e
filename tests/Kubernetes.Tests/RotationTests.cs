using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Kubernetes.Tests;

/// <summary>What the kubelet writes into a pod changes while the pod runs: its token within the hour, the authority when the cluster's is replaced.</summary>
public sealed class RotationTests
{
    private string _folder = null!;

    [SetUp]
    public void Start() => _folder = Directory.CreateTempSubdirectory("weft-rotation").FullName;

    [TearDown]
    public void Stop() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_token_is_read_again_when_it_is_a_minute_old()
    {
        var path = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(path, "first\n");
        var clock = new Clock();
        var token = TokenSource.FromFile(path, clock);
        Assert.That(await token.GetAsync(CancellationToken.None), Is.EqualTo("first"));
        await File.WriteAllTextAsync(path, "second\n");
        clock.Now += TimeSpan.FromSeconds(59);
        Assert.That(await token.GetAsync(CancellationToken.None), Is.EqualTo("first"), "not on every request");
        clock.Now += TimeSpan.FromSeconds(2);
        Assert.That(await token.GetAsync(CancellationToken.None), Is.EqualTo("second"));
    }

    [Test]
    public async Task While_a_token_file_is_replaced_the_old_token_is_used_and_without_any_the_file_is_named()
    {
        var path = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(path, "first");
        var clock = new Clock();
        var token = TokenSource.FromFile(path, clock);
        await token.GetAsync(CancellationToken.None);
        File.Delete(path);
        clock.Now += TimeSpan.FromMinutes(5);
        Assert.That(await token.GetAsync(CancellationToken.None), Is.EqualTo("first"));
        var none = TokenSource.FromFile(path, clock);
        Assert.That(async () => await none.GetAsync(CancellationToken.None), Throws.TypeOf<KubernetesException>().With.Message.Contains(path));
    }

    [Test]
    public void A_new_authority_in_the_file_is_trusted_and_the_old_one_no_more()
    {
        var path = Path.Combine(_folder, "ca.crt");
        using var first = Authority("first");
        using var second = Authority("second");
        using var byFirst = Server(first);
        using var bySecond = Server(second);
        File.WriteAllText(path, first.ExportCertificatePem());
        var trusted = TrustedAuthorities.FromFile(path);
        Assert.That((Accepts(trusted, byFirst), Accepts(trusted, bySecond)), Is.EqualTo((true, false)));

        // As the kubelet does: a new file takes the old one's place.
        File.WriteAllText(path + ".new", second.ExportCertificatePem());
        File.SetLastWriteTimeUtc(path + ".new", DateTime.UtcNow.AddSeconds(5));
        File.Move(path + ".new", path, overwrite: true);
        Assert.That((Accepts(trusted, byFirst), Accepts(trusted, bySecond)), Is.EqualTo((false, true)));

        File.Delete(path);
        Assert.That(Accepts(trusted, bySecond), Is.True, "between two versions the last one holds");
    }

    [Test]
    public void A_certificate_for_another_name_is_refused_whoever_signed_it()
    {
        using var authority = Authority("first");
        using var server = Server(authority);
        var trusted = TrustedAuthorities.FromPem(authority.ExportCertificatePem(), "test");
        Assert.That(trusted.Accepts(server, null, SslPolicyErrors.RemoteCertificateNameMismatch), Is.False);
    }

    private static bool Accepts(TrustedAuthorities trusted, X509Certificate2 server) => trusted.Accepts(server, null, SslPolicyErrors.RemoteCertificateChainErrors);

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Server(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kubernetes", key, HashAlgorithmName.SHA256);
        return request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3, 4]);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(50);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
