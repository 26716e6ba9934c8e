using System.Buffers.Binary;
using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Switch;

/// <content>What can be asked of a live switch. All of it throws <see cref="OpenFlowConnectionException"/> when the switch is not live or the
/// connection ends first, and <see cref="OpenFlowErrorException"/> when the switch refuses.</content>
public sealed partial class OpenFlowSwitch
{
    /// <summary>Commits all messages or none, in order, and returns when they are in effect.</summary>
    /// <param name="messages">Flow and group mods and packet-outs. Open vSwitch takes no meter mods in bundles: use <see cref="SendAsync"/> before.</param>
    /// <param name="cancel">Ends the wait; the outcome is then unknown.</param>
    /// <returns>Committed, or which message failed and why; then nothing is in effect.</returns>
    public Task<BundleOutcome> ApplyAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default) => Connection.CommitAsync(messages, cancel);

    /// <summary>
    /// As <see cref="ApplyAsync"/>, in one round trip instead of two, without the messages that the switch cannot read: those are among the failures,
    /// and do not keep the others from being in effect. A message that can be read and not carried out, such as a flow to a group that is not there, still does.
    /// </summary>
    public Task<BundleOutcome> ApplyReadableAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default) => Connection.CommitReadableAsync(messages, cancel);

    /// <summary>Sends messages one by one and a barrier; returns what the switch refused. Not atomic.</summary>
    public Task<ImmutableArray<MessageFailure>> SendAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default) => Connection.SendAsync(messages, cancel);

    /// <summary>Sends any request that has an answer.</summary>
    public Task<OpenFlowMessage> RequestAsync(OpenFlowMessage request, CancellationToken cancel = default) => Connection.RequestAsync(request, null, cancel);

    /// <summary>Waits until the switch has done everything sent before.</summary>
    public Task BarrierAsync(CancellationToken cancel = default) => Connection.BarrierAsync(cancel);

    /// <summary>Reads flows with their counters; all of them without a filter.</summary>
    public async Task<IReadOnlyList<FlowStats>> DumpFlowsAsync(FlowFilter? filter = null, CancellationToken cancel = default)
    {
        var flows = new List<FlowStats>();
        await RequestPartsAsync(MultipartType.Flow, (filter ?? new FlowFilter()).Encode(), body => MultipartBodies.ReadFlows(body, flows), cancel).ConfigureAwait(false);
        return flows;
    }

    /// <summary>Reads all groups with their buckets.</summary>
    public async Task<ImmutableArray<Group>> DumpGroupsAsync(CancellationToken cancel = default)
    {
        var groups = ImmutableArray.CreateBuilder<Group>();
        await RequestPartsAsync(MultipartType.GroupDescription, [], body => groups.AddRange(MultipartBodies.ReadGroups(body)), cancel).ConfigureAwait(false);
        return groups.ToImmutable();
    }

    /// <summary>Reads all meters with their bands.</summary>
    public async Task<ImmutableArray<MeterEntry>> DumpMetersAsync(CancellationToken cancel = default)
    {
        var meters = ImmutableArray.CreateBuilder<MeterEntry>();
        byte[] all = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        await RequestPartsAsync(MultipartType.MeterConfig, all, body => meters.AddRange(MultipartBodies.ReadMeters(body)), cancel).ConfigureAwait(false);
        return meters.ToImmutable();
    }

    /// <summary>Reads what each table can do.</summary>
    public async Task<ImmutableArray<TableFeatures>> DumpTableFeaturesAsync(CancellationToken cancel = default)
    {
        var tables = ImmutableArray.CreateBuilder<TableFeatures>();
        await RequestPartsAsync(MultipartType.TableFeatures, [], body => tables.AddRange(MultipartBodies.ReadTableFeatures(body)), cancel).ConfigureAwait(false);
        return tables.ToImmutable();
    }

    /// <summary>Reads all ports.</summary>
    public async Task<ImmutableArray<PortDescription>> DumpPortsAsync(CancellationToken cancel = default)
    {
        var ports = ImmutableArray.CreateBuilder<PortDescription>();
        await RequestPartsAsync(MultipartType.PortDescription, [], body => ports.AddRange(MultipartBodies.ReadPorts(body)), cancel).ConfigureAwait(false);
        return ports.ToImmutable();
    }

    /// <summary>Who made the switch.</summary>
    public async Task<SwitchDescription> DescribeAsync(CancellationToken cancel = default)
    {
        SwitchDescription? description = null;
        await RequestPartsAsync(MultipartType.Description, [], body => description = SwitchDescription.Decode(body), cancel).ConfigureAwait(false);
        return description!;
    }

    /// <summary>Sums the counters of flows.</summary>
    public async Task<AggregateStats> SumFlowsAsync(FlowFilter? filter = null, CancellationToken cancel = default)
    {
        var sums = new AggregateStats(0, 0, 0);
        await RequestPartsAsync(MultipartType.Aggregate, (filter ?? new FlowFilter()).Encode(), body => sums = AggregateStats.Decode(body), cancel).ConfigureAwait(false);
        return sums;
    }

    /// <summary>Reads the counters of all tables.</summary>
    public Task<IReadOnlyList<TableStats>> TableStatsAsync(CancellationToken cancel = default) => RowsAsync<TableStats>(MultipartType.Table, [], StatisticsCodec.Tables, cancel);

    /// <summary>Reads the counters of all ports.</summary>
    public Task<IReadOnlyList<PortStats>> PortStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<PortStats>(MultipartType.PortStats, [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], StatisticsCodec.Ports, cancel);

    /// <summary>Reads the counters of all queues.</summary>
    public Task<IReadOnlyList<QueueStats>> QueueStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<QueueStats>(MultipartType.Queue, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], StatisticsCodec.Queues, cancel);

    /// <summary>Reads the counters of all groups.</summary>
    public Task<IReadOnlyList<GroupStats>> GroupStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<GroupStats>(MultipartType.Group, [0xff, 0xff, 0xff, 0xfc, 0, 0, 0, 0], StatisticsCodec.Groups, cancel);

    /// <summary>Reads the counters of one group; empty when it does not exist.</summary>
    public Task<IReadOnlyList<GroupStats>> GroupStatsAsync(uint group, CancellationToken cancel = default)
    {
        var request = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(request, group);
        return RowsAsync<GroupStats>(MultipartType.Group, request, StatisticsCodec.Groups, cancel);
    }

    /// <summary>Reads the counters of all meters.</summary>
    public Task<IReadOnlyList<MeterStats>> MeterStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<MeterStats>(MultipartType.Meter, [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], StatisticsCodec.Meters, cancel);

    /// <summary>Reads the counters of the bridge's IPFIX exporter (Open vSwitch).</summary>
    /// <exception cref="OpenFlowErrorException">NXST_NOT_CONFIGURED: the bridge has none.</exception>
    public Task<IReadOnlyList<IpfixStats>> BridgeIpfixStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<IpfixStats>(MultipartType.Experimenter, IpfixStats.Request(IpfixStats.BridgeSubtype), static body => IpfixStats.Read(body[8..]), cancel);

    /// <summary>Reads the counters of the IPFIX exporters that sample actions feed (Open vSwitch), one for each set of collectors.</summary>
    /// <exception cref="OpenFlowErrorException">NXST_NOT_CONFIGURED: the bridge has none.</exception>
    public Task<IReadOnlyList<IpfixStats>> FlowIpfixStatsAsync(CancellationToken cancel = default) =>
        RowsAsync<IpfixStats>(MultipartType.Experimenter, IpfixStats.Request(IpfixStats.FlowSubtype), static body => IpfixStats.Read(body[8..]), cancel);

    /// <summary>What meters can do.</summary>
    public async Task<MeterFeatures> MeterFeaturesAsync(CancellationToken cancel = default)
    {
        MeterFeatures? features = null;
        await RequestPartsAsync(MultipartType.MeterFeatures, [], body => features = MeterFeatures.Decode(body), cancel).ConfigureAwait(false);
        return features!;
    }

    /// <summary>Hears of changes to flows (<see cref="FlowsChanged"/>), until the connection ends or <see cref="CancelMonitorAsync"/>.</summary>
    /// <returns>The flows that are there now, when <see cref="FlowMonitorFlags.Initial"/> is given.</returns>
    public async Task<IReadOnlyList<FlowUpdate>> MonitorFlowsAsync(uint monitorId, FlowMonitorFlags flags = FlowMonitorFlags.Changes, FlowFilter? filter = null, CancellationToken cancel = default)
    {
        var initial = new List<FlowUpdate>();
        var body = FlowMonitorCodec.EncodeRequest(monitorId, flags, filter ?? new FlowFilter());
        await RequestPartsAsync(MultipartType.Experimenter, body, part => initial.AddRange(FlowMonitorCodec.ReadUpdates(part.Length >= 8 ? part[8..] : part)), cancel).ConfigureAwait(false);
        return initial;
    }

    /// <summary>Ends a flow monitor.</summary>
    public Task CancelMonitorAsync(uint monitorId, CancellationToken cancel = default) => Connection.SendAsync([new CancelFlowMonitor(monitorId)], cancel);

    /// <summary>Sends a packet through actions. Returns when it is written; errors go to <see cref="LateError"/>.</summary>
    public Task SendPacketAsync(ReadOnlyMemory<byte> packet, ActionList actions, uint inPort = Ports.Controller, CancellationToken cancel = default) =>
        Connection.PostAsync(new PacketOut(inPort, actions, packet), cancel);

    /// <summary>Lets a packet that a pausing controller action sent go on (NXT_RESUME).</summary>
    public Task ResumeAsync(PacketIn packet, CancellationToken cancel = default) => Connection.PostAsync(packet with { Form = PacketInForm.Resume }, cancel);

    /// <summary>Gives this connection the id that <see cref="ToController.ControllerId"/> names.</summary>
    public Task SetControllerIdAsync(ushort id, CancellationToken cancel = default) => Connection.PostAsync(new SetControllerId(id), cancel);

    /// <summary>Empties a conntrack zone before anything that is sent later. Returns when it is written; errors go to <see cref="LateError"/>.</summary>
    public Task FlushConntrackAsync(ushort zone, CancellationToken cancel = default) => Connection.PostAsync(new FlushConntrackZone(zone), cancel);

    /// <summary>Forgets connections; returns when they are forgotten. What matches none is no error.</summary>
    /// <exception cref="OpenFlowErrorException">The switch refused; the others were carried out.</exception>
    public async Task FlushConntrackAsync(IReadOnlyList<FlushConntrack> connections, CancellationToken cancel = default)
    {
        var failures = await Connection.SendAsync([.. connections], cancel).ConfigureAwait(false);
        if (!failures.IsEmpty)
        {
            throw new OpenFlowErrorException(failures[0].Error, "forget connections");
        }
    }

    private delegate List<T> ReadRows<T>(ReadOnlySpan<byte> body);

    private async Task<IReadOnlyList<T>> RowsAsync<T>(MultipartType kind, byte[] request, ReadRows<T> read, CancellationToken cancel)
    {
        var rows = new List<T>();
        await RequestPartsAsync(kind, request, body => rows.AddRange(read(body)), cancel).ConfigureAwait(false);
        return rows;
    }

    private delegate void ReadPart(ReadOnlySpan<byte> body);

    private Task RequestPartsAsync(MultipartType kind, byte[] body, ReadPart read, CancellationToken cancel) =>
        Connection.RequestAsync(new Multipart(false, kind, false, body), part => read(part.Body.Span), cancel);
}
