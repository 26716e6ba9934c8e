using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Weft.Telemetry;

/// <summary>The series of one metric, by their labels.</summary>
internal sealed class MetricFamily(string name, string description, MetricKind kind)
{
    // Seconds: from below a flow bundle's round trip to the longest wait of a runtime.
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = _series.GetOrAdd(Labels(tags), static _ => new Series());
        lock (series)
        {
            series.Value = kind is MetricKind.Counter or MetricKind.Sum or MetricKind.Histogram ? series.Value + value : value;
            if (kind == MetricKind.Histogram)
            {
                series.Count++;
                series.Buckets ??= new long[Bounds.Length];
                for (var i = 0; i < Bounds.Length; i++)
                {
                    series.Buckets[i] += value <= Bounds[i] ? 1 : 0;
                }
            }
        }
    }

    /// <summary>Writes the lines.</summary>
    public void Write(StringBuilder text)
    {
        var type = kind switch
        {
            MetricKind.Histogram => "histogram",
            MetricKind.Counter or MetricKind.ObservedCounter => "counter",
            _ => "gauge",
        };
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {description}\n# TYPE {name} {type}\n");
        foreach (var (labels, series) in _series.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            lock (series)
            {
                if (kind == MetricKind.Histogram)
                {
                    WriteHistogram(text, labels, series);
                }
                else
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{Braced(labels)} {PrometheusPage.Number(series.Value)}\n");
                }
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        var comma = labels.Length > 0 ? "," : "";
        for (var i = 0; i < Bounds.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"{PrometheusPage.Number(Bounds[i])}\"}} {series.Buckets![i]}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {series.Count}\n");
        text.Append(CultureInfo.InvariantCulture, $"{name}_sum{Braced(labels)} {PrometheusPage.Number(series.Value)}\n{name}_count{Braced(labels)} {series.Count}\n");
    }

    private static string Braced(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            var escaped = Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length > 0 ? "," : "").Append(key.Replace('.', '_')).Append("=\"").Append(escaped).Append('"');
        }

        return text.ToString();
    }

    private sealed class Series
    {
        public double Value { get; set; }

        public long Count { get; set; }

        public long[]? Buckets { get; set; }
    }
}
