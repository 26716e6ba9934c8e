using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Session;

/// <summary>TLS against a real server with an authority of its own: both sides' certificates, wrong ones, and files replaced while running.</summary>
public sealed class TlsTests
{
    private TemporaryFolder _folder = null!;
    private TestAuthority _authority = null!;
    private OvsdbServerProcess _server = null!;
    private string _remote = "";

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        _authority = new TestAuthority(_folder, "ca");
        _authority.Issue("server");
        _authority.Issue("client");
        _server = await OvsdbServerProcess.StartAsync(extraArguments:
        [
            "--remote=pssl:0:127.0.0.1", $"--private-key={_folder.File("server-key.pem")}", $"--certificate={_folder.File("server-cert.pem")}",
            $"--ca-cert={_folder.File("ca-cert.pem")}",
        ]);
        await Eventually.True("the server says its port", async () =>
        {
            var log = await File.ReadAllTextAsync(Path.Combine(_server.Folder, "ovsdb-server.log"));
            var match = System.Text.RegularExpressions.Regex.Match(log, @"listening on port (\d+)");
            _remote = $"ssl:127.0.0.1:{match.Groups[1].Value}";
            return match.Success;
        });
    }

    [TearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Both_sides_prove_themselves()
    {
        await using var client = await LiveAsync(Options(Settings()));
        await _server.VsctlAsync(false, "add-br", "br0");

        Assert.That((await client.Replica.WaitForAsync(s => s.Rows<Bridge>().Any(), Limit())).Rows<Bridge>().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_server_of_another_authority_is_refused_with_a_reason()
    {
        _ = new TestAuthority(_folder, "other");
        await using var client = OvsdbClient.Start(Options(Settings() with { CaCertificateFile = _folder.File("other-cert.pem") }));
        await Eventually.True("the failure is known", () => client.LastFailure is not null);

        Assert.That(client.LastFailure!.Message, Does.Contain("the peer's certificate (CN=server) does not come from").And.Contain("other-cert.pem"));
    }

    [Test]
    public async Task A_name_is_checked_when_one_is_asked_for()
    {
        await using var right = await LiveAsync(Options(Settings() with { PeerName = "server" }));
        await using var wrong = OvsdbClient.Start(Options(Settings() with { PeerName = "elsewhere" }));
        await Eventually.True("the failure is known", () => wrong.LastFailure is not null);

        Assert.That(wrong.LastFailure!.Message, Does.Contain("is not for \"elsewhere\""));
    }

    [Test]
    public async Task A_client_without_certificate_is_refused_by_the_server()
    {
        await using var client = OvsdbClient.Start(Options(Settings() with { CertificateFile = null, PrivateKeyFile = null }));
        await Eventually.True("the failure is known", () => client.LastFailure is not null);

        Assert.That(client.State, Is.Not.EqualTo(SessionState.Live));
        Assert.That(client.LastFailure, Is.InstanceOf<OvsdbException>());
    }

    [Test]
    public async Task Replaced_files_count_from_the_next_connection()
    {
        var good = await File.ReadAllTextAsync(_folder.File("client-cert.pem"));
        await File.WriteAllTextAsync(_folder.File("client-cert.pem"), "not yet a certificate");
        await using var client = OvsdbClient.Start(Options(Settings()));
        await Eventually.True("the failure is known", () => client.LastFailure is not null);
        Assert.That(client.LastFailure!.Message, Does.Contain("client-cert.pem"));

        await File.WriteAllTextAsync(_folder.File("client-cert.pem"), good);

        await client.WaitUntilLiveAsync(Limit());
    }

    [Test]
    public async Task A_passive_client_takes_calls_over_tls()
    {
        using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        probe.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        var port = ((System.Net.IPEndPoint)probe.LocalEndPoint!).Port;
        probe.Dispose();
        await using var client = OvsdbClient.Start(Options(Settings()) with { Endpoints = [OvsdbEndpoint.Parse($"pssl:{port}:127.0.0.1")] });

        await _server.AppctlAsync("ovsdb-server/add-remote", $"ssl:127.0.0.1:{port}");

        await client.WaitUntilLiveAsync(Limit());
    }

    private TlsSettings Settings() => new()
    {
        CaCertificateFile = _folder.File("ca-cert.pem"), CertificateFile = _folder.File("client-cert.pem"), PrivateKeyFile = _folder.File("client-key.pem"),
    };

    private OvsdbClientOptions Options(TlsSettings tls) => ClientFixture.Options(_server) with
    {
        Endpoints = [OvsdbEndpoint.Parse(_remote)], Connection = new OvsdbConnectionOptions { Tls = tls },
    };
}
