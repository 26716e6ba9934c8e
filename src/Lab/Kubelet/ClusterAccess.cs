using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Weft.Kubernetes;
using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>How the lab's own processes reach the cluster's API.</summary>
public static class ClusterAccess
{
    /// <summary>Over the socket of the lab's API server, or as the given kubeconfig says.</summary>
    /// <exception cref="LabException">The kubeconfig cannot be used.</exception>
    public static ClusterApi Open(LabLayout layout, LabOptions options) =>
        options.Kubeconfig is { } file ? Open(Read(file)) : ClusterApi.OverSocket(layout.ApiSocket);

    /// <summary>Where a kubeconfig's API server is.</summary>
    /// <exception cref="LabException">The kubeconfig cannot be used, or names a host that only DNS knows.</exception>
    public static IPEndPoint ServerOf(string kubeconfig)
    {
        var server = Read(kubeconfig).Server;
        var host = server.Host == "localhost" ? "127.0.0.1" : server.Host.Trim('[', ']');
        return IPAddress.TryParse(host, out var address)
            ? new IPEndPoint(address, server.Port)
            : throw new LabException(
                $"{kubeconfig}: the server is {server}: give it by its address, the lab's control plane has no DNS (kubectl config set-cluster --server, --tls-server-name)");
    }

    private static ClusterConnection Read(string kubeconfig)
    {
        try
        {
            return ClusterConnection.Load(kubeconfig);
        }
        catch (KubernetesException e)
        {
            throw new LabException(e.Message, e);
        }
    }

    private static ClusterApi Open(ClusterConnection connection)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (connection.SkipTlsVerification)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        }
        else if (connection.Authorities is { } authorities)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => authorities.Accepts(certificate, chain, errors);
        }

        if (connection.ClientCertificate is { } own)
        {
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        }

        return new ClusterApi(new HttpClient(new WithToken(connection.Token, handler))
        {
            BaseAddress = connection.Server,
            Timeout = Timeout.InfiniteTimeSpan,
        });
    }

    private sealed class WithToken(TokenSource tokens, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (await tokens.GetAsync(cancellationToken) is { } token)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }
}
