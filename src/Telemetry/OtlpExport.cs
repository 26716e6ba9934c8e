using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Weft.Telemetry;

/// <summary>Sends metrics by OTLP (gRPC) every 10 s while the program runs. A receiver that is away costs its measurements and nothing else.</summary>
/// <param name="endpoint">For example <c>http://otel-collector:4317</c>.</param>
/// <param name="service">The program's name, <c>service.name</c>.</param>
/// <param name="instance">Which one it is, <c>service.instance.id</c>.</param>
public sealed class OtlpExport(Uri endpoint, string service, string instance) : IHostedService, IDisposable
{
    private MeterProvider? _provider;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => r.AddService(service, serviceInstanceId: instance))
            .AddMeter("Weft.*")
            .AddOtlpExporter((exporter, reader) =>
            {
                exporter.Endpoint = endpoint;
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 10_000;
            })
            .Build();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _provider?.Dispose();
}
