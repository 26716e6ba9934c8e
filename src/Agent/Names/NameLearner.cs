using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.Agent.Sync;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.Topology;

namespace Weft.Agent.Names;

/// <summary>Hears what name servers answer to pods that rules with domain names are about, and lets the pods hear it when they may use it.</summary>
/// <remarks>
/// While it runs, such answers wait in the agent until the switch has confirmed the flows of the addresses in them, <see cref="Patience"/> at most.
/// When more packets come than the switch passes on, it lets them go without waiting: an address may then be allowed a moment later than it is known.
/// </remarks>
public sealed partial class NameLearner(AgentLoop loop, FlowSync flows, TimeProvider time, ILogger<NameLearner> logger)
{
    /// <summary>An answer is not kept from a pod for longer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    // Two of three renewals may fail.
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(NameFlows.HoldSeconds / 3.0);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    // The switch passes on 1,000 a second.
    private const int MostHeld = 700;
    private const int MostWaiting = 4096;

    private readonly Channel<PacketIn> _packets = Channel.CreateBounded<PacketIn>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly AnswerStreams _streams = new();
    private readonly Dictionary<uint, Task> _last = [];
    private int _heard;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        void Take(PacketIn packet)
        {
            Interlocked.Increment(ref _heard);
            if (Cookies.IsOurs(packet.Cookie) && Cookies.FeatureOf(packet.Cookie) is FlowFeature.Names or FlowFeature.Lease)
            {
                _packets.Writer.TryWrite(packet);
            }
        }

        flows.PacketIn += Take;
        var holding = HoldAsync(ct);
        try
        {
            await foreach (var packet in _packets.Reader.ReadAllAsync(ct).ConfigureAwait(false))
            {
                await HearAsync(packet, ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The agent ends.
        }
        finally
        {
            flows.PacketIn -= Take;
            await holding.ConfigureAwait(false);
        }
    }

    /// <summary>Makes answers wait while this agent runs, and lets time pass for what is known.</summary>
    private async Task HoldAsync(CancellationToken ct)
    {
        var isHeld = false;
        var (renewed, connection) = (0L, 0);
        while (!ct.IsCancellationRequested)
        {
            loop.PassTime();
            var wanted = Interlocked.Exchange(ref _heard, 0) <= MostHeld && loop.Published is { Synced: true } state && state.Facts.Slice.All<Policy>().Any(NameFlows.HasNames);
            if (wanted != isHeld || (wanted && (time.GetElapsedTime(renewed) >= Renewal || connection != flows.Connections)))
            {
                (renewed, connection) = (time.GetTimestamp(), flows.Connections);
                isHeld = await LeaseAsync(wanted, ct).ConfigureAwait(false) ? wanted : isHeld;
            }

            await Task.Delay(Second, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        using var limit = new CancellationTokenSource(Farewell, time);
        await LeaseAsync(false, limit.Token).ConfigureAwait(false);
    }

    private async Task<bool> LeaseAsync(bool present, CancellationToken ct)
    {
        try
        {
            return await flows.LeaseAsync(NameFlows.Hold, present, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OpenFlowConnectionException or OpenFlowErrorException or OperationCanceledException or ObjectDisposedException)
        {
            // It ends by itself, and until it is there answers do not wait.
            LogNotHeld(logger, e.Message);
            return false;
        }
    }

    private async Task HearAsync(PacketIn packet, CancellationToken ct)
    {
        var output = packet.Metadata.TryGet(Registers.Output.Field, out var value) ? (uint)value.Value : 0;
        var facts = loop.Published.Facts;
        var port = facts.Ports.Values.FirstOrDefault(p => p.OfPort == output);
        var answers = port is null ? [] : Read(port, packet.Data);
        AgentMetrics.NameAnswers.Add(answers.Count);
        var confirmed = answers.Count == 0 ? null : await loop.LearnAsync(port!.Id, answers).WaitAsync(ct).ConfigureAwait(false);
        if (Cookies.FeatureOf(packet.Cookie) == FlowFeature.Lease)
        {
            // In the order in which they came: TCP takes disorder for loss.
            var before = _last.GetValueOrDefault(output, Task.CompletedTask);
            _last[output] = before.IsCompleted && confirmed is null ? DeliverAsync(packet, output, ct) : DeliverAfterAsync(before, confirmed ?? Task.CompletedTask, packet, output, ct);
        }
    }

    private List<DnsAnswer> Read(AttachedPort port, ReadOnlyMemory<byte> data)
    {
        if (AnswerFrame.Read(data) is not { } frame)
        {
            return [];
        }

        var messages = frame.Tcp is { } place
            ? _streams.Take(new AnswerStreamKey(port.Id, frame.Source, frame.SourcePort, frame.DestinationPort), place, frame.Payload)
            : [frame.Payload];
        return [.. messages.Select(m => DnsAnswer.Read(m.Span)).OfType<DnsAnswer>()];
    }

    private async Task DeliverAfterAsync(Task before, Task confirmed, PacketIn packet, uint output, CancellationToken ct)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await confirmed.WaitAsync(Patience, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DeliverAsync(packet, output, ct).ConfigureAwait(false);
    }

    private async Task DeliverAsync(PacketIn packet, uint output, CancellationToken ct)
    {
        try
        {
            await flows.SendPacketAsync(packet.Data, ActionList.Of(new Output(output)), Ports.Controller, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OpenFlowConnectionException or OperationCanceledException)
        {
            // Lost, as packets are; the resolver asks again.
            LogNotDelivered(logger, output, e.Message);
        }
    }

    [LoggerMessage(3785, LogLevel.Debug, "Answers of name servers do not wait for flows: {Reason}")]
    private static partial void LogNotHeld(ILogger logger, string reason);

    [LoggerMessage(3786, LogLevel.Debug, "An answer of a name server to port {Port} was lost: {Reason}")]
    private static partial void LogNotDelivered(ILogger logger, uint port, string reason);
}
