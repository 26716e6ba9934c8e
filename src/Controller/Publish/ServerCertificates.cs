using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Controller.Publish;

/// <summary>The controller's certificate: an authority of its own signs it, and it is renewed by itself long before it ends.</summary>
/// <remarks>Files: <c>ca.crt</c> (what agents trust), <c>ca.key</c>, <c>tls.crt</c>, <c>tls.key</c>. What is missing is made. A folder with only
/// <c>ca.crt</c>, <c>tls.crt</c> and <c>tls.key</c> belongs to somebody else (cert-manager): it is read again when it changes, never written.</remarks>
public sealed class ServerCertificates
{
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(90);
    private readonly string _dir;
    private readonly IReadOnlyList<string> _names;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private X509Certificate2? _current;
    private SslServerAuthenticationOptions? _tls;
    private DateTime _written;

    /// <summary>Reads or makes the certificates.</summary>
    /// <exception cref="ControllerConfigurationException">The folder cannot be used.</exception>
    public ServerCertificates(string dir, IEnumerable<string> names, TimeProvider time)
    {
        (_dir, _names, _time) = (dir, [.. names.Distinct()], time);
        try
        {
            Directory.CreateDirectory(dir);
            Current();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ControllerConfigurationException($"tlsDir {dir} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>The names by which agents may reach this controller.</summary>
    public static IEnumerable<string> NamesOf(ControllerOptions options) =>
    [
        "weft-controller", $"weft-controller.{options.Namespace}", $"weft-controller.{options.Namespace}.svc", "localhost", .. new[] { Dns.GetHostName() }.Where(IsName),
        .. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal).Select(a => a.ToString()),
        .. options.TlsNames,
    ];

    /// <summary>Whether a certificate can have the name: a machine without one is called "(none)".</summary>
    public static bool IsName(string name) => Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;

    /// <summary>How a connection is made now: with the current certificate; the same instance until it changes.</summary>
    public SslServerAuthenticationOptions TlsOptions()
    {
        lock (_lock)
        {
            var certificate = Current();
            if (_tls?.ServerCertificate != certificate)
            {
                _tls = new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                    AllowRenegotiation = false,
                    // The API server shows a certificate and is judged by it where that matters; agents show tokens.
                    ClientCertificateRequired = true,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
                };
            }

            return _tls;
        }
    }

    /// <summary>The certificate to show now.</summary>
    public X509Certificate2 Current()
    {
        lock (_lock)
        {
            var (certificate, key) = (At("tls.crt"), At("tls.key"));
            if (_current is null || (File.Exists(certificate) && File.GetLastWriteTimeUtc(certificate) != _written))
            {
                Read(certificate, key);
            }

            if (IsOurs && (_current is null || NeedsRenewal(_current)))
            {
                MakeServer();
                Read(certificate, key);
            }

            return _current ?? throw new ControllerConfigurationException($"tlsDir {_dir}: tls.crt or tls.key is missing, and without ca.key none can be made");
        }
    }

    private bool IsOurs => File.Exists(At("ca.key")) || !File.Exists(At("ca.crt"));

    private bool NeedsRenewal(X509Certificate2 certificate) =>
        _time.GetUtcNow() > certificate.NotAfter.ToUniversalTime() - (ServerLife / 3) || !_names.All(n => certificate.MatchesHostname(n, allowWildcards: false));

    private string At(string file) => Path.Combine(_dir, file);

    private void Read(string certificate, string key)
    {
        if (File.Exists(certificate) && File.Exists(key))
        {
            _written = File.GetLastWriteTimeUtc(certificate);
            _current = X509Certificate2.CreateFromPemFile(certificate, key);
        }
    }

    private void MakeServer()
    {
        using var authority = Authority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=weft-controller", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in _names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], critical: false));
        var now = _time.GetUtcNow();
        using var signed = request.Create(authority, now.AddMinutes(-5), now + ServerLife, RandomNumberGenerator.GetBytes(16));
        Write("tls.key", key.ExportPkcs8PrivateKeyPem(), secret: true);
        Write("tls.crt", signed.ExportCertificatePem(), secret: false);
    }

    private X509Certificate2 Authority()
    {
        if (File.Exists(At("ca.key")))
        {
            return X509Certificate2.CreateFromPemFile(At("ca.crt"), At("ca.key"));
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=weft-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = _time.GetUtcNow();
        var authority = request.CreateSelfSigned(now.AddMinutes(-5), now + AuthorityLife);
        Write("ca.key", key.ExportPkcs8PrivateKeyPem(), secret: true);
        Write("ca.crt", authority.ExportCertificatePem(), secret: false);
        return authority;
    }

    /// <summary>Replaces a file as a whole; keys are for their owner only from the start.</summary>
    private void Write(string file, string text, bool secret)
    {
        var next = At(file) + ".new";
        File.Delete(next);
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (secret ? 0 : UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using (var stream = new FileStream(next, options))
        using (var writer = new StreamWriter(stream))
        {
            writer.Write(text);
        }

        File.Move(next, At(file), overwrite: true);
    }
}
