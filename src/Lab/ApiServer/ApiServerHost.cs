using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>One API server with its controllers. After <see cref="StartAsync"/> it serves until it is disposed.</summary>
public sealed class ApiServerHost : IAsyncDisposable
{
    private readonly ApiServerOptions _options;
    private readonly Journal? _journal;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private WebApplication? _web;
    private Certificates? _certificates;
    private TokenIssuer? _tokens;
    private Task _controllers = Task.CompletedTask;

    public ApiServerHost(ApiServerOptions options)
    {
        _options = options;
        Directory.CreateDirectory(options.StateDirectory);
        _journal = options.Journal ? new Journal(Path.Combine(options.StateDirectory, "objects.journal")) : null;
        Store = new ObjectStore(options.WatchHistory, _journal);
        Registry = new ResourceRegistry();
        Operations = new ObjectOperations(Store, Registry, new Admission(Strategies.All(options, Store, Registry)), _time);
    }

    public ObjectStore Store { get; }

    public ResourceRegistry Registry { get; }

    public ObjectOperations Operations { get; }

    /// <summary>https://ADDRESS:PORT with the port that was really taken.</summary>
    public string Url { get; private set; } = "";

    public string KubeconfigPath => Path.Combine(_options.StateDirectory, "admin.kubeconfig");

    public async Task StartAsync(CancellationToken stop)
    {
        Store.Restore();
        _certificates = Certificates.Open(_options.StateDirectory, _time.GetUtcNow());
        _tokens = new TokenIssuer(_options.StateDirectory, Store, _time);
        Definitions.LoadAll(Store, Registry);

        _web = Build(Handler(_certificates, _tokens, out var aggregated));
        await _web.StartAsync(stop);
        Url = _web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First(a => a.StartsWith("https", StringComparison.Ordinal));
        WriteKubeconfig(_certificates);
        _controllers = ControllerSet.RunAsync(Operations, _options, aggregated, new Uri(Url), _certificates.AuthorityPem,
            _web.Services.GetRequiredService<ILoggerFactory>(), _stop.Token);
    }

    /// <summary>Returns when the process is told to stop or the token is cancelled.</summary>
    public async Task WaitForStopAsync(CancellationToken stop)
    {
        try
        {
            await _web!.WaitForShutdownAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _controllers;
        if (_web is not null)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await _web.StopAsync(limit.Token);
            await _web.DisposeAsync();
        }

        _tokens?.Dispose();
        _certificates?.Dispose();
        _journal?.Dispose();
        _stop.Dispose();
    }

    private ApiHandler Handler(Certificates certificates, TokenIssuer tokens, out AggregatedApis aggregated)
    {
        var (certificate, key) = certificates.MakeClient(SystemObjects.FrontProxyName, "weft-lab");
        aggregated = new AggregatedApis(Store, X509Certificate2.CreateFromPem(certificate, key));
        var faults = new Faults();
        _stop.Token.Register(() => faults.CloseWatchesAsync().GetAwaiter().GetResult());
        var authorizer = new Authorizer(Store, _options.Authorization);
        var writes = new WriteRequests(Operations);
        return new ApiHandler(
            new Authenticator(certificates, tokens), authorizer, Registry, new DiscoveryRequests(Registry, aggregated), new OpenApiRequests(Registry),
            aggregated, new ReadRequests(Store), writes, new WatchRequests(Store, _options, faults),
            new SubresourceRequests(Operations, tokens, new NodeProxy(Store), writes), new ReviewRequests(tokens, authorizer, Operations), faults, Store,
            LoggerFactory.Create(b => b.AddSimpleConsole(c => c.SingleLine = true)).CreateLogger<ApiHandler>());
    }

    private WebApplication Build(ApiHandler handler)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddSimpleConsole(c => c.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ApiRequest.LargestBody;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(_options.Listen, Https);
            if (_options.UnixSocket is { } socket)
            {
                File.Delete(socket);
                kestrel.ListenUnixSocket(socket, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.Use(next => connection =>
                    {
                        connection.Items[ApiHandler.PrivateConnection] = true;
                        return next(connection);
                    });
                });
            }
        });
        var app = builder.Build();
        app.Run(http =>
        {
            if (http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items.ContainsKey(ApiHandler.PrivateConnection) == true)
            {
                http.Items[ApiHandler.PrivateConnection] = true;
            }

            return handler.HandleAsync(http);
        });
        return app;
    }

    private void Https(ListenOptions listen)
    {
        var addresses = new List<IPAddress> { IPAddress.Loopback, IPAddress.IPv6Loopback };
        if (!_options.Listen.Address.Equals(IPAddress.Any) && !_options.Listen.Address.Equals(IPAddress.IPv6Any))
        {
            addresses.Add(_options.Listen.Address);
        }

        addresses.AddRange(_options.ServiceCidrs.Select(c => c.Address(1)));
        var server = _certificates!.MakeServer(addresses,
            ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]);
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = server;
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;

            // Whether a certificate is ours is answered as 401 by the Authenticator, not by a broken handshake.
            https.AllowAnyClientCertificate();
        });
    }

    private void WriteKubeconfig(Certificates certificates)
    {
        var (certificate, key) = certificates.MakeClient("kubernetes-admin", UserInfo.Masters);
        static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));
        Certificates.WriteSecret(KubeconfigPath, $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: weft-lab
              cluster:
                server: {Url}
                certificate-authority-data: {Encode(certificates.AuthorityPem)}
            users:
            - name: admin
              user:
                client-certificate-data: {Encode(certificate)}
                client-key-data: {Encode(key)}
            contexts:
            - name: weft-lab
              context:
                cluster: weft-lab
                user: admin
            current-context: weft-lab

            """);
    }
}
