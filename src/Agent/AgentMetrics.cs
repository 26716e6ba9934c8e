using System.Diagnostics.Metrics;

namespace Weft.Agent;

/// <summary>What the agent measures, under the meter <c>Weft.Agent</c>; docs/reference/metrics.md lists it for users.</summary>
internal static class AgentMetrics
{
    private static readonly Meter Meter = new("Weft.Agent");

    public static readonly Gauge<long> FlowsDesired = Meter.CreateGauge<long>("weft.agent.flows.desired", "{flow}", "Flows that the plan has, by table");

    public static readonly Gauge<long> FlowsInstalled = Meter.CreateGauge<long>("weft.agent.flows.installed", "{flow}", "Flows that the switch holds, by table");

    public static readonly Gauge<long> GroupsDesired = Meter.CreateGauge<long>("weft.agent.groups.desired", "{group}", "Groups that the plan has");

    public static readonly Counter<long> FlowsSent = Meter.CreateCounter<long>("weft.agent.flows.sent", "{flow}", "Flows added, changed or deleted in the switch");

    public static readonly Gauge<long> FlowsRefused = Meter.CreateGauge<long>("weft.agent.flows.refused", "{flow}", "Flows that the switch does not take");

    public static readonly Counter<long> DriftRepaired = Meter.CreateCounter<long>("weft.agent.drift.repaired", "{flow}", "Flows, groups and meters that somebody else changed and that were put right");

    public static readonly Counter<long> RowsRepaired = Meter.CreateCounter<long>("weft.agent.rows.repaired", "{repair}", "Times that rows of the bridge, its own ports and those of pods were made right in OVSDB");

    public static readonly Gauge<long> Connections = Meter.CreateGauge<long>("weft.agent.openflow.connections", "{connection}", "OpenFlow connections made since the start; more than 1 means reconnects");

    public static readonly Gauge<long> ControllerConnected = Meter.CreateGauge<long>("weft.agent.controller.connected", "1", "1 while a controller answers, else 0");

    public static readonly Counter<long> ControllerConnections = Meter.CreateCounter<long>("weft.agent.controller.connections", "{connection}", "Connections to controllers made since the start; more than 1 means reconnects");

    public static readonly Gauge<long> Revision = Meter.CreateGauge<long>("weft.agent.revision", "{revision}", "The controller's last revision that is realised whole on this node");

    public static readonly Gauge<long> Problems = Meter.CreateGauge<long>("weft.agent.problems", "{problem}", "Problems that the agent reports now");

    public static readonly Histogram<double> SyncDelay = Meter.CreateHistogram<double>("weft.agent.sync.delay", "s", "From an event to the switch's confirmation of what follows from it");

    public static readonly Histogram<double> SyncDuration = Meter.CreateHistogram<double>("weft.agent.sync.duration", "s", "One round of bringing rows, host and flows in line");

    public static readonly Histogram<double> PolicyLatency = Meter.CreateHistogram<double>("weft.agent.policy.latency", "s", "From receiving a changed policy or set to the switch's confirmation");

    public static readonly Counter<long> Recomputes = Meter.CreateCounter<long>("weft.agent.recomputes", "{owner}", "Owners (pods, nodes, services, policies) whose flows were computed");

    public static readonly Counter<long> FullRecomputes = Meter.CreateCounter<long>("weft.agent.recomputes.full", "{recompute}", "Times that all flows were computed from nothing");

    public static readonly Histogram<double> CniDuration = Meter.CreateHistogram<double>("weft.agent.cni.duration", "s", "CNI commands, by command and exit code");

    public static readonly Histogram<double> PodReady = Meter.CreateHistogram<double>("weft.agent.pod.ready.duration", "s", "From CNI ADD to a pod whose addresses and policies are in the switch");

    public static readonly Gauge<long> Pods = Meter.CreateGauge<long>("weft.agent.pods", "{pod}", "Pods attached");

    public static readonly Gauge<long> IpamUsed = Meter.CreateGauge<long>("weft.agent.ipam.used", "{address}", "Addresses of the node's ranges in use");

    public static readonly Gauge<long> IpamCapacity = Meter.CreateGauge<long>("weft.agent.ipam.capacity", "{address}", "Addresses that the node's IPv4 ranges have for pods");

    public static readonly Gauge<long> Drops = Meter.CreateGauge<long>("weft.agent.drops", "{packet}", "Packets that flows dropped since these flows were installed, by reason");

    public static readonly Gauge<long> Names = Meter.CreateGauge<long>("weft.agent.names", "{address}", "Addresses that pods were told by name servers and that rules with domain names allow them now");

    public static readonly Counter<long> NameAnswers = Meter.CreateCounter<long>("weft.agent.names.answers", "{message}", "Answers of name servers to pods that rules with domain names are about");

    public static readonly Counter<long> DenialsAnswered = Meter.CreateCounter<long>("weft.agent.denials.answered", "{packet}", "Denied packets whose sender was told (annotation weft.dev/deny-action)");

    public static readonly Counter<long> DenialsLogged = Meter.CreateCounter<long>("weft.agent.denials.logged", "{line}", "Lines of the log about denied packets (annotation weft.dev/log-denied)");
}
