using Weft.Controller.Publish;
using Weft.TestSupport;

namespace Weft.Controller.Tests.Publish;

public sealed class ServerCertificatesTests
{
    private static readonly string[] Names = ["weft-controller", "127.0.0.1"];

    [Test]
    public void Certificates_are_made_once_and_kept()
    {
        using var folder = new TemporaryFolder();
        var first = new ServerCertificates(folder.Path, Names, TimeProvider.System).Current();
        var second = new ServerCertificates(folder.Path, Names, TimeProvider.System).Current();
        Assert.Multiple(() =>
        {
            Assert.That(second.Thumbprint, Is.EqualTo(first.Thumbprint));
            Assert.That(first.MatchesHostname("weft-controller"), Is.True);
            Assert.That(OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(folder.File("ca.key")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        });
    }

    [Test]
    public void A_certificate_is_renewed_before_it_ends_by_the_same_authority()
    {
        using var folder = new TemporaryFolder();
        var clock = new SettableClock();
        var certificates = new ServerCertificates(folder.Path, Names, clock);
        var (first, authority) = (certificates.Current(), File.ReadAllText(folder.File("ca.crt")));
        clock.Now += TimeSpan.FromDays(59);
        Assert.That(certificates.Current().Thumbprint, Is.EqualTo(first.Thumbprint));
        clock.Now += TimeSpan.FromDays(2);
        var renewed = certificates.Current();
        Assert.That(renewed.Thumbprint, Is.Not.EqualTo(first.Thumbprint));
        Assert.That(renewed.NotAfter.ToUniversalTime(), Is.GreaterThan(clock.Now.AddDays(80).UtcDateTime));
        Assert.That(File.ReadAllText(folder.File("ca.crt")), Is.EqualTo(authority));
    }

    [TestCase("(none)", false)]
    [TestCase("node 1", false)]
    [TestCase("", false)]
    [TestCase("my_host", true)]
    [TestCase("fd00::1", true)]
    public void A_name_that_passes_can_be_looked_up_in_the_certificate(string name, bool isName)
    {
        Assert.That(ServerCertificates.IsName(name), Is.EqualTo(isName));
        using var folder = new TemporaryFolder();
        var certificate = new ServerCertificates(folder.Path, [.. Names, .. new[] { name }.Where(ServerCertificates.IsName)], TimeProvider.System).Current();
        Assert.That(isName ? certificate.MatchesHostname(name) : certificate.MatchesHostname(Names[0]), Is.True);
    }

    [Test]
    public void A_new_name_needs_a_new_certificate()
    {
        using var folder = new TemporaryFolder();
        new ServerCertificates(folder.Path, Names, TimeProvider.System).Current();
        var wider = new ServerCertificates(folder.Path, [.. Names, "other.example"], TimeProvider.System).Current();
        Assert.That(wider.MatchesHostname("other.example"), Is.True);
    }

    [Test]
    public void Certificates_of_somebody_else_are_read_again_when_they_change_and_never_written()
    {
        using var theirs = new TemporaryFolder();
        using var folder = new TemporaryFolder();
        void Install(string name)
        {
            using var maker = new TemporaryFolder();
            new ServerCertificates(maker.Path, [name], TimeProvider.System).Current();
            foreach (var file in new[] { "ca.crt", "tls.key", "tls.crt" })
            {
                File.Copy(maker.File(file), folder.File(file), overwrite: true);
            }
        }

        Install("one.example");
        var certificates = new ServerCertificates(folder.Path, Names, TimeProvider.System);
        Assert.That(certificates.Current().MatchesHostname("one.example"), Is.True);
        Install("two.example");
        File.SetLastWriteTimeUtc(folder.File("tls.crt"), DateTime.UtcNow.AddSeconds(5));
        Assert.That(certificates.Current().MatchesHostname("two.example"), Is.True);
        Assert.That(File.Exists(folder.File("ca.key")), Is.False);
    }

    [Test]
    public void A_folder_that_cannot_be_used_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "");
        Assert.That(() => new ServerCertificates(folder.File("file"), Names, TimeProvider.System),
            Throws.InstanceOf<ControllerConfigurationException>().With.Message.Contains("tlsDir"));
    }

    private sealed class SettableClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
