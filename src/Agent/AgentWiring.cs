using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Denials;
using Weft.Agent.Dns;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Names;
using Weft.Agent.Solicitations;
using Weft.Agent.Sync;
using Weft.Telemetry;

namespace Weft.Agent;

/// <summary>Puts the agent together.</summary>
/// <remarks>
/// <code>
///   ControllerStream ─► SliceFile ─► AgentLoop ─► FlowSync  ─► ovs-vswitchd
///   BridgeRows (OVSDB) ───────────►    │   │ └──► HostSync  ─► netlink, nftables
///   CniService ─► PodNetwork ─────────►┘   └────► Reporter  ─► controller
/// </code>
/// </remarks>
public static class AgentWiring
{
    /// <summary>Runs the agent until SIGTERM or SIGINT. Traffic goes on as it is when the agent ends.</summary>
    /// <param name="options">The configuration as read.</param>
    /// <param name="file">The file that it was read from, for what changes in it later.</param>
    public static async Task RunAsync(AgentOptions options, string file)
    {
        var levels = new LogLevels();
        levels.Set(options.LogLevels);
        using var page = new PrometheusPage("Weft.");
        // Not the current folder, which is / for most services: the host watches the files below its content root.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls($"http://{options.Listen}");
        builder.Logging.ClearProviders().AddSimpleConsole(c =>
        {
            c.SingleLine = true;
            c.UseUtcTimestamp = true;
            c.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        levels.AddTo(builder.Logging);
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<HostFacts>();
        services.AddSingleton<ControllerStream>();
        services.AddSingleton<BridgeRows>();
        services.AddSingleton<FlowSync>();
        services.AddSingleton<ServiceHealth>();
        services.AddSingleton(p => new HostIsolation(HostIsolationSettings.Of(options), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<HostIsolation>>()));
        services.AddSingleton<HostSync>();
        services.AddSingleton<Reporter>();
        services.AddSingleton<TenantDns>();
        services.AddSingleton<DenialResponder>();
        services.AddSingleton<SolicitationResponder>();
        services.AddSingleton<NameLearner>();
        services.AddSingleton(p => new NameJournal(Path.Combine(options.StateDir, NameJournal.FileName), p.GetRequiredService<ILogger<NameJournal>>()));
        services.AddSingleton<PodNetwork>();
        services.AddSingleton<IPodNetwork>(p => p.GetRequiredService<PodNetwork>());
        services.AddSingleton<SparePortRows>();
        services.AddSingleton(p => new HostNetwork(p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<HostNetwork>>()));
        services.AddSingleton(p => new SliceFile(Path.Combine(options.StateDir, "node-state.ndjson"), p.GetRequiredService<ILogger<SliceFile>>()));
        services.AddSingleton(p => ActivatorUtilities.CreateInstance<AgentLoop>(p, p.GetRequiredService<SliceFile>().Read()));
        services.AddSingleton(p => new CniService(options.CniSocket, options.StateDir, p.GetRequiredService<IPodNetwork>(), new CniLimits(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<CniService>>(),
            spares: new SpareSettings(options.SparePorts, options.SparePortsNamespace, p.GetRequiredService<SparePortRows>())));
        services.AddSingleton<AgentSampler>();
        services.AddHostedService<AgentService>();
        services.AddHostedService<HeapTrimmer>();
        if (options.OtlpEndpoint is { } otlp)
        {
            services.AddHostedService(p => new OtlpExport(new Uri(otlp), "weft-agent", options.NodeName, p.GetRequiredService<AgentSampler>().SampleAsync, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<OtlpExport>>()));
        }

        services.AddHostedService(p => new ConfigurationFollower(file, path => Follow(options, levels, path), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<ConfigurationFollower>>()));
        var app = builder.Build();
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        app.MapGet("/readyz", (PodNetwork network) => network.NotReadyReason is { } reason
            ? Results.Text(reason + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ok\n"));
        app.MapGet("/metrics", async (AgentSampler sampler, CancellationToken ct) =>
        {
            await sampler.SampleAsync(ct).ConfigureAwait(false);
            return Results.Text(page.Render(), PrometheusPage.ContentType);
        });
        app.MapGet("/sync", (AgentLoop loop, FlowSync flows, Reporter reporter) => Results.Json(SyncStatus.Of(loop.Published, flows, reporter), SyncStatusJson.Default.SyncStatus));
        await app.RunAsync().ConfigureAwait(false);
    }

    /// <summary>Takes over what can change at run time, and names the rest.</summary>
    private static List<string> Follow(AgentOptions running, LogLevels levels, string file)
    {
        var next = AgentOptions.Load(file);
        levels.Set(next.LogLevels);
        return ConfigurationDifference.Between(
            JsonSerializer.SerializeToNode(running, AgentOptionsJson.Default.AgentOptions)!, JsonSerializer.SerializeToNode(next, AgentOptionsJson.Default.AgentOptions)!, except: "logLevels");
    }
}
