using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Denials;
using Weft.Agent.Dns;
using Weft.Agent.Facts;
using Weft.Agent.Host.Netlink;
using Weft.Agent.Names;
using Weft.Agent.Solicitations;
using Weft.Agent.Sync;

namespace Weft.Agent;

/// <summary>Runs the agent's parts together; the first that ends ends them all.</summary>
public sealed partial class AgentService(
    AgentOptions options, AgentLoop loop, BridgeRows rows, FlowSync flows, ControllerStream controller, SliceFile file, CniService cni, Reporter reporter, TenantDns dns, DenialResponder denials, SolicitationResponder solicitations, NameLearner names, TimeProvider time, ILogger<AgentService> logger)
    : BackgroundService
{
    private static readonly TimeSpan SavePause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ControllerPatience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] parts =
        [
            loop.RunAsync(stop.Token),
            rows.RunAsync(loop.Post, stop.Token),
            FlowsAsync(stop.Token),
            controller.RunAsync(new SliceBuilder(loop.Published.Facts.Slice), Take, stop.Token),
            SaveAsync(stop.Token),
            ServeAsync(stop.Token),
            reporter.RunAsync(stop.Token),
            dns.RunAsync(stop.Token),
            denials.RunAsync(stop.Token),
            solicitations.RunAsync(stop.Token),
            names.RunAsync(stop.Token),
        ];
        var ended = await Task.WhenAny(parts).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await cni.DisposeAsync().ConfigureAwait(false);
        if (!stoppingToken.IsCancellationRequested)
        {
            await ended.ConfigureAwait(false);
            throw new InvalidOperationException("a part of the agent ended");
        }
    }

    /// <summary>Touches the switch when the controller had its say, or soon without it.</summary>
    /// <remarks>While no agent ran the cluster went on: flows of an endpoint that went since must not be there for a moment. What the
    /// switch has goes on working meanwhile; a controller that refuses connections is not waited for.</remarks>
    private async Task FlowsAsync(CancellationToken ct)
    {
        await Task.WhenAny(controller.FirstWord, Task.Delay(ControllerPatience, time, ct)).ConfigureAwait(false);

        // The word is in the loop's inbox: a batch that began before it must not meet a switch that just connected.
        await loop.CaughtUpAsync(ct).ConfigureAwait(false);
        await flows.RunAsync(loop.Wake, ct).ConfigureAwait(false);
    }

    /// <summary>The runtime is answered from the first moment on which all that OVSDB holds is known.</summary>
    private async Task ServeAsync(CancellationToken ct)
    {
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(AgentState state)
        {
            if (state.RowsKnown)
            {
                first.TrySetResult();
            }
        }

        loop.Changed += Look;
        Look(loop.Published);
        await RehearseAsync().ConfigureAwait(false);
        await first.Task.WaitAsync(ct).ConfigureAwait(false);
        loop.Changed -= Look;
        await cni.StartAsync(ct).ConfigureAwait(false);
        LogServing(logger);
        await Task.Delay(Timeout.InfiniteTimeSpan, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Runs the way of a pod's ADD once, while the rest of the agent reads what is there.</summary>
    private async Task RehearseAsync()
    {
        try
        {
            var folder = Path.Combine(options.StateDir, "rehearsal");
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            var reply = await Rehearsal.RunAsync(folder, time).ConfigureAwait(false);
            if (reply.ExitCode != 0)
            {
                LogNotRehearsed(logger, reply.Output);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NetlinkException or SocketException)
        {
            LogNotRehearsed(logger, e.Message);
        }
    }

    /// <summary>On disk first: what the switch is told, a restarted agent knows too, with or without a controller.</summary>
    private void Take(SliceChange change)
    {
        file.Take(change);
        loop.Post(change);
    }

    private async Task SaveAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            file.Settle();
            await Task.Delay(SavePause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(3730, LogLevel.Information, "Taking CNI calls")]
    private static partial void LogServing(ILogger logger);

    [LoggerMessage(3732, LogLevel.Warning, "A pod cannot be attached on this node as it is: {Reason}")]
    private static partial void LogNotRehearsed(ILogger logger, string reason);
}
