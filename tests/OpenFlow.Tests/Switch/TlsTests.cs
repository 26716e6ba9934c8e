using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;
using Weft.Ovsdb.Tests;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>TLS with a real switch, both ways round, each side with a certificate of one authority.</summary>
public sealed class TlsTests
{
    [Test]
    public async Task A_switch_that_listens_with_tls_is_called()
    {
        using var folder = new TemporaryFolder();
        await using var real = await StartAsync(folder);
        var port = FreePort();
        await real.Database.VsctlAsync(wait: true, "set-controller", "br0", $"pssl:{port}:127.0.0.1");
        await using var connection = new OpenFlowSwitch(OpenFlowEndpoint.Parse($"ssl:127.0.0.1:{port}"), new OpenFlowOptions { Tls = Client(folder, "cacert") });
        connection.Start();
        await UseAsync(connection);
    }

    [Test]
    public async Task A_switch_calls_a_listener_with_tls()
    {
        using var folder = new TemporaryFolder();
        await using var real = await StartAsync(folder);
        await using var listener = OpenFlowListener.Tcp(new IPEndPoint(IPAddress.Loopback, 0), Server(folder));
        await using var connection = OpenFlowSwitch.Over("incoming", listener.AcceptAsync, new OpenFlowOptions { ConnectTimeout = TimeSpan.FromSeconds(20) });
        connection.Start();
        await real.Database.VsctlAsync(wait: true, "set-controller", "br0", $"ssl:127.0.0.1:{((IPEndPoint)listener.LocalEndPoint).Port}");
        await UseAsync(connection);
    }

    [Test]
    public async Task A_switch_of_another_authority_is_not_spoken_to()
    {
        using var folder = new TemporaryFolder();
        await using var real = await StartAsync(folder);
        _ = new TestAuthority(folder, "other");
        var port = FreePort();
        await real.Database.VsctlAsync(wait: true, "set-controller", "br0", $"pssl:{port}:127.0.0.1");
        await using var connection = new OpenFlowSwitch(OpenFlowEndpoint.Parse($"ssl:127.0.0.1:{port}"), new OpenFlowOptions { Tls = Client(folder, "other") });
        connection.Start();
        await Eventually.True("the certificate is refused", () => connection.State.Reason is { } reason && reason.ToString().Contains("certificate", StringComparison.OrdinalIgnoreCase));
        Assert.That(connection.Connections, Is.Zero);
    }

    private static async Task UseAsync(OpenFlowSwitch connection)
    {
        await connection.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(20));
        (await connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=9,tcp,tp_dst=80 actions=output:1"))])).ThrowIfFailed();
        Assert.That((await connection.DumpFlowsAsync(new FlowFilter(9))).Single().Flow.ToString(), Is.EqualTo("table=9, tcp,tp_dst=80 actions=output:1"));
    }

    private static async Task<RealSwitch> StartAsync(TemporaryFolder folder)
    {
        var authority = new TestAuthority(folder, "cacert");
        authority.Issue("switch");
        authority.Issue("controller");
        var real = await RealSwitch.StartAsync();
        await real.Database.VsctlAsync(wait: true, "set-ssl", folder.File("switch-key.pem"), folder.File("switch-cert.pem"), folder.File("cacert-cert.pem"));
        return real;
    }

    private static SslClientAuthenticationOptions Client(TemporaryFolder folder, string authority) => new()
    {
        TargetHost = "switch",
        ClientCertificates = [Certificate(folder)],
        CertificateChainPolicy = Trusting(folder, authority),
    };

    private static SslServerAuthenticationOptions Server(TemporaryFolder folder) => new()
    {
        ServerCertificate = Certificate(folder),
        ClientCertificateRequired = true,
        CertificateChainPolicy = Trusting(folder, "cacert"),
    };

    private static X509Certificate2 Certificate(TemporaryFolder folder)
    {
        using var pem = X509Certificate2.CreateFromPemFile(folder.File("controller-cert.pem"), folder.File("controller-key.pem"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static X509ChainPolicy Trusting(TemporaryFolder folder, string authority)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(folder.File($"{authority}-cert.pem")));
        return policy;
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
