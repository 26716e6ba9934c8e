using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Weft.Telemetry;

/// <summary>Listens to meters of this process and writes what they measured in Prometheus' text format 0.0.4. Safe to use from any thread.</summary>
/// <remarks>Measuring costs a dictionary look-up; nothing is computed until the page is asked for.</remarks>
public sealed class PrometheusPage : IDisposable
{
    /// <summary>The page's content type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="meters">Prefix of the names of meters to listen to, for example <c>Weft.</c>.</param>
    public PrometheusPage(string meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(meters, StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>The page's text now.</summary>
    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_lock)
        {
            foreach (var family in _families.Values)
            {
                family.Write(text);
            }
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>The name that Prometheus shows (OpenTelemetry's "Prometheus and OpenMetrics Compatibility"): dots to underscores, the unit in full, <c>_total</c> for counters.</summary>
    public static string NameOf(string name, string? unit, bool isCounter)
    {
        var suffix = unit switch
        {
            null or "" or "1" => "",
            "s" => "_seconds",
            "By" => "_bytes",
            ['{', ..] => "",
            _ => "_" + unit,
        };
        var plain = name.Replace('.', '_').Replace('-', '_');
        return (plain.EndsWith(suffix, StringComparison.Ordinal) ? plain : plain + suffix) + (isCounter ? "_total" : "");
    }

    internal static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private MetricFamily FamilyOf(Instrument instrument)
    {
        var type = instrument.GetType();
        var kind = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var family = kind == typeof(Histogram<>) ? MetricKind.Histogram
            : kind == typeof(Counter<>) ? MetricKind.Counter
            : kind == typeof(ObservableCounter<>) ? MetricKind.ObservedCounter
            : kind == typeof(UpDownCounter<>) ? MetricKind.Sum
            : MetricKind.Gauge;
        var name = NameOf(instrument.Name, instrument.Unit, family is MetricKind.Counter or MetricKind.ObservedCounter);
        lock (_lock)
        {
            if (!_families.TryGetValue(name, out var known))
            {
                _families[name] = known = new MetricFamily(name, instrument.Description ?? "", family);
            }

            return known;
        }
    }
}
