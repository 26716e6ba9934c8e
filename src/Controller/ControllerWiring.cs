using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Weft.Controller.Api;
using Weft.Controller.Allocation;
using Weft.Controller.Cluster;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Kubernetes;
using Weft.Telemetry;

namespace Weft.Controller;

/// <summary>Puts the controller together.</summary>
/// <remarks><code>
/// Reflector (one per kind) -> ClusterWatcher -> Publisher( LogicalNetwork ) -> NodeStream (one per agent) -> agents
///                                  |                                                                         |
///                                  +-> NodeConditions, EventRecorder  &lt;-------------- NodeReports &lt;----------+
/// </code></remarks>
public static class ControllerWiring
{
    /// <summary>The service account of agents.</summary>
    public const string AgentServiceAccount = "weft-agent";

    /// <summary>Builds the controller; nothing runs yet.</summary>
    /// <exception cref="ControllerConfigurationException">The certificates cannot be used.</exception>
    /// <exception cref="KubernetesException">The kubeconfig cannot be used.</exception>
    /// <param name="options">The configuration as read.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <param name="file">The file that it was read from, for what changes in it later; null: nothing changes.</param>
    public static WebApplication Build(ControllerOptions options, TimeProvider? time = null, string? file = null)
    {
        var levels = new LogLevels();
        levels.Set(options.LogLevels);
        var clock = time ?? TimeProvider.System;
        var client = new KubernetesClient(ClusterConnection.Load(options.Kubeconfig));
        var certificates = new ServerCertificates(options.TlsDir, ServerCertificates.NamesOf(options), clock);
        // Not the current folder, which is / for most services: the host watches the files below its content root.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        levels.AddTo(builder.Logging);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options, certificates));
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(clock);
        services.AddSingleton(client);
        services.AddSingleton(new Publisher(new LogicalNetwork(options.Settings, clock, options.PoolRanges)));
        services.AddSingleton<NodeReports>();
        services.AddSingleton<KeyUse>();
        services.AddSingleton<ITerms>(new Terms(client, options.Namespace));
        services.AddSingleton<INetworkKeys>(new NetworkKeys(client, options.Namespace, clock));
        services.AddSingleton<IAgentAuthentication>(options.AgentAuthentication == "none"
            ? new NoAuthentication()
            : new TokenReviewAuthentication(client, options.Namespace, AgentServiceAccount, clock, options.AgentAudience));
        services.AddSingleton<AgentEndpoints>();
        services.AddSingleton<PodProblems>();
        services.AddSingleton<FrontProxyAuthentication>();
        services.AddSingleton<TopologyApi>();
        AddWorker<Leadership>(services);
        AddWorker<EventRecorder>(services);
        AddWorker<NodeConditions>(services);
        AddWorker<TenantWriter>(services);
        AddWorker<PolicyConditions>(services);
        AddWorker<LoadBalancerWriter>(services);
        AddWorker<ClusterWatcher>(services);
        AddWorker<MemoryTrim>(services);
        services.AddSingleton(new PrometheusPage("Weft."));
        services.AddSingleton<ControllerSampler>();
        if (file is not null)
        {
            services.AddHostedService(p => new ConfigurationFollower(file, path => Follow(options, levels, path), clock, p.GetRequiredService<ILogger<ConfigurationFollower>>()));
        }

        if (options.OtlpEndpoint is { } otlp)
        {
            services.AddHostedService(p => new OtlpExport(new Uri(otlp), "weft-controller", System.Net.Dns.GetHostName(), _ =>
            {
                p.GetRequiredService<ControllerSampler>().Sample();
                return Task.CompletedTask;
            }, clock, p.GetRequiredService<ILogger<OtlpExport>>()));
        }

        var app = builder.Build();
        KeepMetricsApart(app, options);
        app.Services.GetRequiredService<PodProblems>();
        app.Services.GetRequiredService<AgentEndpoints>().Map(app);
        app.Services.GetRequiredService<TopologyApi>().Map(app);
        app.MapGet("/healthz", () => "ok");
        app.MapGet("/metrics", (ControllerSampler sampler, PrometheusPage page) =>
        {
            sampler.Sample();
            return Results.Text(page.Render(), PrometheusPage.ContentType);
        });
        app.MapGet("/readyz", (Publisher publisher) => publisher.Synced.IsCompleted
            ? Results.Text("ok")
            : Results.Text("not yet in sync with Kubernetes", statusCode: StatusCodes.Status503ServiceUnavailable));
        return app;
    }

    /// <summary>What travels without encryption is figures, and nothing else.</summary>
    private static void KeepMetricsApart(WebApplication app, ControllerOptions options)
    {
        if (options.MetricsEndpoint is { } metrics)
        {
            app.Use((http, next) =>
            {
                if (http.Connection.LocalPort == metrics.Port && http.Request.Path != "/metrics" && http.Request.Path != "/healthz")
                {
                    http.Response.StatusCode = StatusCodes.Status404NotFound;
                    return Task.CompletedTask;
                }

                return next(http);
            });
        }
    }

    /// <summary>Takes over what can change at run time, and names the rest.</summary>
    private static List<string> Follow(ControllerOptions running, LogLevels levels, string file)
    {
        var next = ControllerOptions.Load(file);
        levels.Set(next.LogLevels);
        return ConfigurationDifference.Between(
            JsonSerializer.SerializeToNode(running, ControllerOptionsJson.Default.ControllerOptions)!,
            JsonSerializer.SerializeToNode(next, ControllerOptionsJson.Default.ControllerOptions)!, except: "logLevels");
    }

    private static void AddWorker<T>(IServiceCollection services)
        where T : BackgroundService
    {
        services.AddSingleton<T>();
        services.AddHostedService(s => s.GetRequiredService<T>());
    }

    private static void Listen(KestrelServerOptions kestrel, ControllerOptions options, ServerCertificates certificates)
    {
        kestrel.AddServerHeader = false;
        // Agents repeat no headers: tables to compress them would only cost memory, for each of thousands of connections.
        kestrel.AllowResponseHeaderCompression = false;
        kestrel.Limits.Http2.HeaderTableSize = 0;
        // Finds agents that are gone without saying so.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(15);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(15);
        if (options.MetricsEndpoint is { } metrics)
        {
            kestrel.Listen(metrics);
        }

        kestrel.Listen(options.Endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            // One context for all connections: OpenSSL keeps what belongs to the certificate once, and sessions can be resumed.
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificates.TlsOptions()) });
        });
    }
}
