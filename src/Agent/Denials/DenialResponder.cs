using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.OpenFlow;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;

namespace Weft.Agent.Denials;

/// <summary>Answers and logs what policies deny, where their annotations ask for it. Only such flows send packets here.</summary>
/// <remarks>The packet is dropped by its flow in any case; here it is only told of. The switch passes on 1,000 a second (<see cref="FlowSync"/>), see also <see cref="DenialLimits"/>.</remarks>
public sealed partial class DenialResponder(AgentLoop loop, FlowSync flows, TimeProvider time, ILogger<DenialResponder> logger)
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);

    private readonly Channel<PacketIn> _packets = Channel.CreateBounded<PacketIn>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly DenialLimits _limits = new(time);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        void Take(PacketIn packet) => _packets.Writer.TryWrite(packet);
        flows.PacketIn += Take;
        try
        {
            await foreach (var packet in _packets.Reader.ReadAllAsync(ct).ConfigureAwait(false))
            {
                await TellAsync(packet, ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The agent ends.
        }
        finally
        {
            flows.PacketIn -= Take;
        }
    }

    private async Task TellAsync(PacketIn received, CancellationToken ct)
    {
        var facts = loop.Published.Facts;
        if (!DeniedPacket.TryRead(received.Data, out var packet) || Denial.Of(received, facts) is not { } denial)
        {
            return;
        }

        var answered = false;
        if (denial.Reject && packet.MayBeAnswered && AnswerRoute.For(received, facts) is { } route && _limits.MayAnswer())
        {
            answered = await AnswerAsync(packet, route, ct).ConfigureAwait(false);
            AgentMetrics.DenialsAnswered.Add(1);
        }

        if (denial.Log && _limits.MayLog($"{received.Cookie:x} {denial.Pod} {packet.Source} {packet.Destination} {packet.Protocol} {packet.DestinationPort}", out var more))
        {
            LogDenied(
                logger, denial.Direction, denial.Pod, packet.ProtocolName, End(packet.Source, packet.SourcePort), End(packet.Destination, packet.DestinationPort),
                string.Join(", ", denial.Policies), denial.Rule is { } rule ? $"{denial.Direction.ToString().ToLowerInvariant()}[{rule.Index}]" : "isolation", answered ? "rejected" : "dropped", more);
            AgentMetrics.DenialsLogged.Add(1);
        }
    }

    private async Task<bool> AnswerAsync(DeniedPacket packet, AnswerRoute route, CancellationToken ct)
    {
        try
        {
            await flows.SendPacketAsync(Refusal.Of(packet, RouterMac, route.To), route.Actions, route.InPort, ct).ConfigureAwait(false);
            return true;
        }
        catch (OpenFlowConnectionException e)
        {
            // The sender hears nothing, as with a drop, and tries again.
            LogNotAnswered(logger, packet.Source, e.Message);
            return false;
        }
    }

    private static string End(IPAddress address, ushort port) => port == 0 ? address.ToString() : new IPEndPoint(address, port).ToString();

    [LoggerMessage(3770, LogLevel.Information, "Denied {Direction} of pod {Pod}: {Protocol} {Source} -> {Destination} by {Policy} {Rule}: {Action} ({More} more like it since the last line)")]
    private static partial void LogDenied(
        ILogger logger, Topology.Direction direction, string pod, string protocol, string source, string destination, string policy, string rule, string action, int more);

    [LoggerMessage(3771, LogLevel.Debug, "{Source} was not told that it is denied: {Reason}")]
    private static partial void LogNotAnswered(ILogger logger, IPAddress source, string reason);
}
