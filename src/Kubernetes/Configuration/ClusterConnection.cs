using System.Security.Cryptography.X509Certificates;

namespace Weft.Kubernetes;

/// <summary>How to reach an API server and as whom.</summary>
public sealed record ClusterConnection
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Its URL, <c>https</c> or <c>http</c>.</summary>
    public required Uri Server { get; init; }

    /// <summary>Who signs its certificate; null: the system's authorities.</summary>
    public TrustedAuthorities? Authorities { get; init; }

    /// <summary>Accept any certificate (<c>insecure-skip-tls-verify</c>).</summary>
    public bool SkipTlsVerification { get; init; }

    /// <summary>The name that its certificate must carry, when not the URL's host.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>Our certificate, or null.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Our token.</summary>
    public TokenSource Token { get; init; } = TokenSource.None;

    /// <summary>The namespace to use where none is given.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>From a kubeconfig file, or, when the path is null, from the pod that this process runs in.</summary>
    /// <exception cref="KubernetesException">It cannot be used; the message names the field.</exception>
    public static ClusterConnection Load(string? kubeconfig) => kubeconfig is null ? InCluster() : KubeConfig.Load(kubeconfig);

    private static ClusterConnection InCluster()
    {
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST");
        var port = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT_HTTPS") ?? Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || !int.TryParse(port, out var number))
        {
            throw new KubernetesException("not in a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig file");
        }

        var ns = Path.Combine(ServiceAccount, "namespace");
        return new ClusterConnection
        {
            Server = new UriBuilder("https", host, number).Uri,
            Authorities = TrustedAuthorities.FromFile(Path.Combine(ServiceAccount, "ca.crt")),
            Token = TokenSource.FromFile(Path.Combine(ServiceAccount, "token")),
            Namespace = File.Exists(ns) ? File.ReadAllText(ns).Trim() : "default",
        };
    }
}
