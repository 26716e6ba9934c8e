using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.TestSupport;

namespace Weft.Kubernetes.Tests;

public sealed class KubeConfigTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void Start() => _folder = new TemporaryFolder();

    [TearDown]
    public void Stop() => _folder.Dispose();

    [Test]
    public async Task A_token_and_a_server_are_read()
    {
        var connection = Load("{server: 'https://10.0.0.1:6443', tls-server-name: api}", "{token: secret}");
        Assert.Multiple(async () =>
        {
            Assert.That(connection.Server, Is.EqualTo(new Uri("https://10.0.0.1:6443")));
            Assert.That(connection.TlsServerName, Is.EqualTo("api"));
            Assert.That(connection.Namespace, Is.EqualTo("prod"));
            Assert.That(await connection.Token.GetAsync(CancellationToken.None), Is.EqualTo("secret"));
        });
    }

    [Test]
    public async Task Files_are_relative_to_the_kubeconfig()
    {
        File.WriteAllText(_folder.File("token.txt"), "from-file\n");
        var connection = Load("{server: 'https://a'}", "{tokenFile: token.txt}");
        Assert.That(await connection.Token.GetAsync(CancellationToken.None), Is.EqualTo("from-file"));
    }

    [Test]
    public void Certificates_come_as_data_or_files()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=me", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(_folder.File("me.crt"), certificate.ExportCertificatePem());
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        var connection = Load("{server: 'https://a', certificate-authority: me.crt}", $"{{client-certificate: me.crt, client-key-data: {data}}}");
        Assert.That(connection.ClientCertificate!.HasPrivateKey, Is.True);
        Assert.That(connection.Authorities!.Accepts(certificate, null, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors), Is.True);
        Assert.That(connection.Authorities.Accepts(certificate, null, System.Net.Security.SslPolicyErrors.RemoteCertificateNameMismatch), Is.False);
    }

    [Test]
    public async Task A_program_gives_the_token_and_is_asked_once()
    {
        File.WriteAllText(_folder.File("give.sh"), "#!/bin/sh\necho x >> \"$COUNT\"\necho '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"executed\"}}'\n");
        var connection = Load("{server: 'https://a'}", $"{{exec: {{command: sh, args: [{_folder.File("give.sh")}], env: [{{name: COUNT, value: {_folder.File("count")}}}]}}}}");
        Assert.That(await connection.Token.GetAsync(CancellationToken.None), Is.EqualTo("executed"));
        Assert.That(await connection.Token.GetAsync(CancellationToken.None), Is.EqualTo("executed"));
        Assert.That(File.ReadAllLines(_folder.File("count")), Has.Length.EqualTo(1));
    }

    [TestCase("{}", "neither token nor clientCertificateData")]
    [TestCase("{\"clientCertificateData\":\"x\"}", "both are needed")]
    [TestCase("{\"clientCertificateData\":\"x\",\"clientKeyData\":\"y\"}", "is not PEM")]
    [TestCase("{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}", "no ExecCredential")]
    public void What_is_wrong_in_the_answer_of_a_program_is_named(string status, string named)
    {
        File.WriteAllText(_folder.File("answer"), $"{{\"kind\":\"ExecCredential\",\"status\":{status}}}");
        var connection = Load("{server: 'https://a'}", $"{{exec: {{command: cat, args: [{_folder.File("answer")}]}}}}");
        Assert.That(async () => await connection.Token.GetAsync(CancellationToken.None), Throws.InstanceOf<KubernetesException>().With.Message.Contains(named));
    }

    [Test]
    public void A_program_that_is_missing_or_fails_is_named()
    {
        var missing = Load("{server: 'https://a'}", "{exec: {command: no-such-program}}");
        var failing = Load("{server: 'https://a'}", "{exec: {command: sh, args: ['-c', 'echo broken >&2; exit 3']}}");
        Assert.That(async () => await missing.Token.GetAsync(CancellationToken.None), Throws.InstanceOf<KubernetesException>().With.Message.Contains("no-such-program"));
        Assert.That(async () => await failing.Token.GetAsync(CancellationToken.None), Throws.InstanceOf<KubernetesException>().With.Message.Contains("broken"));
    }

    [TestCase("{server: 'ftp://a'}", "{}", "server is 'ftp://a'")]
    [TestCase("{}", "{}", ".server is ''")]
    [TestCase("{server: 'https://a', certificate-authority-data: '%%'}", "{}", "certificate-authority-data is not base64")]
    [TestCase("{server: 'https://a', certificate-authority: missing.crt}", "{}", "certificate-authority: cannot be read")]
    [TestCase("{server: 'https://a', proxy-url: 'http://p'}", "{}", "proxy-url")]
    [TestCase("{server: 'https://a'}", "{username: me, password: x}", "user.username")]
    [TestCase("{server: 'https://a'}", "{client-key-data: eA==}", "give both or none")]
    public void A_wrong_field_is_named(string cluster, string user, string named) =>
        Assert.That(() => Load(cluster, user), Throws.InstanceOf<KubernetesException>().With.Message.Contains(named));

    [Test]
    public void A_context_that_is_missing_is_named()
    {
        File.WriteAllText(_folder.File("k"), "current-context: gone\ncontexts: []\n");
        Assert.That(() => KubeConfig.Load(_folder.File("k")), Throws.InstanceOf<KubernetesException>().With.Message.Contains("'gone'"));
        File.WriteAllText(_folder.File("k"), "a: [");
        Assert.That(() => KubeConfig.Load(_folder.File("k")), Throws.InstanceOf<KubernetesException>().With.Message.Contains("line"));
        Assert.That(() => KubeConfig.Load(_folder.File("none")), Throws.InstanceOf<KubernetesException>().With.Message.Contains("cannot be read"));
    }

    [Test]
    public void Outside_of_a_cluster_a_kubeconfig_is_asked_for() =>
        Assert.That(() => ClusterConnection.Load(null), Throws.InstanceOf<KubernetesException>().With.Message.Contains("kubeconfig"));

    private ClusterConnection Load(string cluster, string user)
    {
        File.WriteAllText(_folder.File("k"), $$"""
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u, namespace: prod} }]
            clusters:
            - name: k
              cluster: {{cluster}}
            users:
            - name: u
              user: {{user}}
            """);
        return KubeConfig.Load(_folder.File("k"));
    }
}
