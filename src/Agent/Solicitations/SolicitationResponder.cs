using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Messages;

namespace Weft.Agent.Solicitations;

/// <summary>Answers neighbour solicitations where the data path cannot: the kernel's cannot write an advertisement's flags and option.</summary>
/// <remarks>
/// Keeps no state: the flow that sent the packet has put the answer into it. While the agent is away nobody answers; what is in a neighbour table
/// stays, and is asked for again only after some 30 s and 5 s (RFC 4861 section 10).
/// </remarks>
public sealed partial class SolicitationResponder(FlowSync flows, ILogger<SolicitationResponder> logger)
{
    private static readonly ActionList Back = ActionList.Of(Output.InPort);

    private readonly Channel<PacketIn> _packets = Channel.CreateBounded<PacketIn>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        void Take(PacketIn packet)
        {
            if (packet.Table == Tables.ArpNd.Id)
            {
                _packets.Writer.TryWrite(packet);
            }
        }

        flows.PacketIn += Take;
        try
        {
            await foreach (var packet in _packets.Reader.ReadAllAsync(ct).ConfigureAwait(false))
            {
                await AnswerAsync(packet, ct).ConfigureAwait(false);
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

    private async Task AnswerAsync(PacketIn packet, CancellationToken ct)
    {
        if (Advertisement.Of(packet.Data.Span) is not { } frame)
        {
            return;
        }

        try
        {
            await flows.SendPacketAsync(frame, Back, packet.InPort, ct).ConfigureAwait(false);
        }
        catch (OpenFlowConnectionException e)
        {
            // Who asks asks again.
            LogNotAnswered(logger, packet.InPort, e.Message);
        }
    }

    [LoggerMessage(3780, LogLevel.Debug, "A neighbour solicitation of port {Port} was not answered: {Reason}")]
    private static partial void LogNotAnswered(ILogger logger, uint port, string reason);
}
