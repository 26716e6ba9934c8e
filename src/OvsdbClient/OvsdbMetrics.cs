using System.Diagnostics.Metrics;

namespace Weft.Ovsdb;

/// <summary>What the library measures, under the meter <c>Weft.Ovsdb</c>.</summary>
internal static class OvsdbMetrics
{
    private static readonly Meter Meter = new("Weft.Ovsdb");

    /// <summary>Connections that became live.</summary>
    public static readonly Counter<long> Sessions = Meter.CreateCounter<long>("weft.ovsdb.sessions", "{session}", "Connections that became live");

    /// <summary>Connections that ended or could not be made.</summary>
    public static readonly Counter<long> Failures = Meter.CreateCounter<long>("weft.ovsdb.failures", "{failure}", "Connections that ended or could not be made");

    /// <summary>From sending a transaction to its outcome.</summary>
    public static readonly Histogram<double> TransactionDuration =
        Meter.CreateHistogram<double>("weft.ovsdb.transaction.duration", "s", "From sending a transaction to its outcome");
}
