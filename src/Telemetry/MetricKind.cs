namespace Weft.Telemetry;

/// <summary>How measurements become a number.</summary>
internal enum MetricKind
{
    /// <summary>The last value.</summary>
    Gauge = 0,

    /// <summary>The sum of what was added; only rises.</summary>
    Counter,

    /// <summary>A sum that the program keeps: the last value; only rises.</summary>
    ObservedCounter,

    /// <summary>The sum of what was added and taken away.</summary>
    Sum,

    /// <summary>A distribution.</summary>
    Histogram,
}
