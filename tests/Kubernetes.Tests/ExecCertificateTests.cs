using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Weft.Kubernetes.Tests;

/// <summary>A program of a kubeconfig gives a client certificate: the API server sees it, and the next one after it has expired.</summary>
public sealed class ExecCertificateTests
{
    private string _folder = null!;

    [SetUp]
    public void Start() => _folder = Directory.CreateTempSubdirectory("weft-exec").FullName;

    [TearDown]
    public void Stop() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_server_sees_the_certificate_of_the_program_and_after_it_expired_the_next_one()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = new UriBuilder("https", "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port).Uri;
        using var identity = Certificate("server");
        using var source = new ExecTokenSource(new ExecCommand("cat", [Path.Combine(_folder, "answer")], new Dictionary<string, string>(), "client.authentication.k8s.io/v1"), TimeProvider.System);
        using var client = new KubernetesClient(new ClusterConnection { Server = server, SkipTlsVerification = true, Token = source });

        Answer("first", DateTimeOffset.UtcNow.AddSeconds(-1));
        Assert.That(await SeenAsync(listener, identity, client), Is.EqualTo("CN=first"));
        Answer("second", DateTimeOffset.UtcNow.AddHours(1));
        Assert.That(await SeenAsync(listener, identity, client), Is.EqualTo("CN=second"));
        Answer("third", DateTimeOffset.UtcNow.AddHours(1));
        Assert.That(await SeenAsync(listener, identity, client), Is.EqualTo("CN=second"), "not asked while the answer holds");
    }

    private void Answer(string name, DateTimeOffset until)
    {
        using var certificate = Certificate(name);
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(_folder, "answer"), JsonSerializer.Serialize(new
        {
            status = new { clientCertificateData = certificate.ExportCertificatePem(), clientKeyData = key.ExportPkcs8PrivateKeyPem(), expirationTimestamp = until.ToString("O") },
        }));
    }

    // One request over one connection: the server closes it after its answer.
    private static async Task<string?> SeenAsync(TcpListener listener, X509Certificate2 identity, KubernetesClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var request = client.ReadAsync(Resources.Pods, "default", "none", limit.Token);
        using var socket = await listener.AcceptTcpClientAsync(limit.Token);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = identity, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, _, _, _) => true }, limit.Token);
        var seen = tls.RemoteCertificate?.Subject;
        await tls.ReadAtLeastAsync(new byte[1], 1, cancellationToken: limit.Token);
        await tls.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"u8.ToArray(), limit.Token);
        Assert.That(await request, Is.Null);
        return seen;
    }

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
