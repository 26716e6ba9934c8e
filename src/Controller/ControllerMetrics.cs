using System.Diagnostics.Metrics;

namespace Weft.Controller;

/// <summary>What the controller measures, under the meter <c>Weft.Controller</c>; docs/reference/metrics.md lists it for users.</summary>
internal static class ControllerMetrics
{
    private static readonly Meter Meter = new("Weft.Controller");

    public static readonly Gauge<long> Leader = Meter.CreateGauge<long>("weft.controller.leader", "1", "1 while this controller leads, else 0");

    public static readonly Gauge<long> Synced = Meter.CreateGauge<long>("weft.controller.synced", "1", "1 when everything in Kubernetes is known, else 0");

    public static readonly Gauge<long> Revision = Meter.CreateGauge<long>("weft.controller.revision", "{revision}", "The last revision of the logical network");

    public static readonly Histogram<double> CommitDuration = Meter.CreateHistogram<double>("weft.controller.commit.duration", "s", "Computing one batch of changes");

    public static readonly Gauge<long> Streams = Meter.CreateGauge<long>("weft.controller.streams", "{stream}", "Agents that are being served");

    public static readonly Counter<long> Reports = Meter.CreateCounter<long>("weft.controller.reports", "{report}", "Reports of agents");

    public static readonly Gauge<long> NodesBehind = Meter.CreateGauge<long>("weft.controller.nodes.behind", "{node}", "Nodes whose agent has not reported, or reports problems");

    public static readonly Gauge<long> Problems = Meter.CreateGauge<long>("weft.controller.problems", "{problem}", "Problems that agents report now");

    public static readonly Gauge<long> Items = Meter.CreateGauge<long>("weft.controller.items", "{item}", "Objects of the logical network, by kind");

    public static readonly Counter<long> Events = Meter.CreateCounter<long>("weft.controller.events", "{event}", "Kubernetes events written");
}
