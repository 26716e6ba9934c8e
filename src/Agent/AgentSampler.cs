using System.Net;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.OpenFlow;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Instructions;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>Measures what is a state and not an event, when somebody looks: counts of flows, drops, addresses.</summary>
/// <remarks>Calls at the same time share one measurement, and the switch is not read more than once in 5 s.</remarks>
public sealed class AgentSampler(AgentLoop loop, FlowSync flows, CniService cni, ControllerStream controller, Reporter reporter, TimeProvider time)
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<string> _tables = [.. Tables.All.Select(t => t.Name)];
    private long _lastRead;

    /// <summary>Measures now.</summary>
    public async Task SampleAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var state = loop.Published;
            AgentMetrics.Revision.Record(state.Revision);
            AgentMetrics.Pods.Record(state.Facts.Ports.Count);
            AgentMetrics.Names.Record(state.Facts.Names.Live);
            AgentMetrics.Problems.Record(reporter.Make(state).Problems.Count);
            AgentMetrics.ControllerConnected.Record(controller.Connected is null ? 0 : 1);
            AgentMetrics.Connections.Record(flows.Connections);
            AgentMetrics.FlowsRefused.Record(flows.Refused.Count);
            SampleAddresses(state.Facts);
            await SamplePlanAsync(ct).ConfigureAwait(false);
            await SampleSwitchAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task SamplePlanAsync(CancellationToken ct)
    {
        var (counts, groups) = await loop.AskAsync(planner => (
            planner.Flows.All.GroupBy(f => f.Key.Table).ToDictionary(t => t.Key, t => (long)t.Count()), planner.Groups.Count), ct).ConfigureAwait(false);
        AgentMetrics.GroupsDesired.Record(groups);
        foreach (var table in Tables.All)
        {
            AgentMetrics.FlowsDesired.Record(counts.GetValueOrDefault(table.Id), new KeyValuePair<string, object?>("table", table.Name));
        }
    }

    private async Task SampleSwitchAsync(CancellationToken ct)
    {
        if (_lastRead != 0 && time.GetElapsedTime(_lastRead) < Rest)
        {
            return;
        }

        try
        {
            var dump = await flows.ReadAsync(ct).ConfigureAwait(false);
            _lastRead = time.GetTimestamp();
            var installed = dump.GroupBy(f => f.Flow.Table).ToDictionary(t => t.Key, t => (long)t.Count());
            foreach (var table in Tables.All)
            {
                AgentMetrics.FlowsInstalled.Record(installed.GetValueOrDefault(table.Id), new KeyValuePair<string, object?>("table", table.Name));
            }

            var drops = DropReasons.All.ToDictionary(r => r, _ => 0L, StringComparer.Ordinal);
            foreach (var flow in dump.Where(f => DropReasons.Drops(f.Flow)))
            {
                drops[DropReasons.Of(flow.Flow)] += (long)flow.Packets;
            }

            foreach (var (reason, packets) in drops)
            {
                AgentMetrics.Drops.Record(packets, new KeyValuePair<string, object?>("reason", reason));
            }
        }
        catch (Exception e) when (e is OpenFlowConnectionException or OpenFlowErrorException or InvalidOperationException)
        {
            // Without a switch there is nothing to measure; the other figures tell of it.
            _lastRead = 0;
        }
    }

    private void SampleAddresses(NodeFacts facts)
    {
        AgentMetrics.IpamUsed.Record(cni.Leases.Sum(l => l.Addresses.Count(a => a.Contains('.', StringComparison.Ordinal))));
        var ranges = facts.Slice.All<LogicalSwitch>().Where(s => s.Node == facts.NodeName).SelectMany(s => s.Subnets);
        // Not for pods: the network's address, the gateway and the broadcast address.
        AgentMetrics.IpamCapacity.Record(ranges.Where(r => IPNetwork.TryParse(r.Cidr, out var cidr) && cidr.BaseAddress.GetAddressBytes().Length == 4)
            .Sum(r => Math.Max(0, (1L << (32 - IPNetwork.Parse(r.Cidr).PrefixLength)) - 3)));
    }
}
