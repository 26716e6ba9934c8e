using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Weft.Telemetry;

/// <summary>Sends metrics by OTLP (gRPC) every 10 s while the program runs. A receiver that is away costs its measurements and nothing else.</summary>
/// <param name="endpoint">For example <c>http://otel-collector:4317</c>.</param>
/// <param name="service">The program's name, <c>service.name</c>.</param>
/// <param name="instance">Which one it is, <c>service.instance.id</c>.</param>
/// <param name="sample">Measures what is a state and not an event, just before it is sent.</param>
/// <param name="time">Tells when.</param>
/// <param name="logger">Is told what could not be measured.</param>
public sealed partial class OtlpExport(Uri endpoint, string service, string instance, Func<CancellationToken, Task> sample, TimeProvider time, ILogger<OtlpExport> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var exporter = new OtlpMetricExporter(new OtlpExporterOptions { Endpoint = endpoint });
        using var reader = new BaseExportingMetricReader(exporter);
        // Its end sends what was counted since the last round.
        using var provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => r.AddService(service, serviceInstanceId: instance))
            .AddMeter("Weft.*")
            .AddReader(reader)
            .Build();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await sample(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Measuring must not end the program, and what was counted is sent all the same.
                LogFailed(logger, e, e.Message);
            }

            // The exporter waits for the receiver: not with a thread that others wait for.
            await Task.Factory.StartNew(() => reader.Collect((int)Interval.TotalMilliseconds), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(6010, LogLevel.Warning, "States could not be measured for OTLP: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception e, string reason);
}
