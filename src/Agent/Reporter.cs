using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>Tells the controller what this node has realised: on change, at most twice a second, and every 30 s.</summary>
public sealed partial class Reporter(AgentOptions options, AgentLoop loop, HostSync host, BridgeRows rows, SliceFile file, CniService cni, ControllerStream controller, TimeProvider time, ILogger<Reporter> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(30);
    private static readonly string Version = typeof(Reporter).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var changed = new SemaphoreSlim(0);
        void OnChange(AgentState state)
        {
            // An agent that has just started and not looked yet has nothing to say: above all not that all is well.
            if (state.IsCompared && changed.CurrentCount == 0)
            {
                changed.Release();
            }
        }

        loop.Changed += OnChange;
        try
        {
            var failed = false;
            while (!ct.IsCancellationRequested)
            {
                await changed.WaitAsync(failed ? Pause : Refresh, ct).ConfigureAwait(false);
                failed = !await controller.ReportAsync(Make(loop.Published), ct).ConfigureAwait(false);
                await Task.Delay(Pause, time, ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            LogStopped(logger);
        }
        finally
        {
            loop.Changed -= OnChange;
        }
    }

    /// <summary>The report for a state.</summary>
    public NodeReport Make(AgentState state) => new()
    {
        Node = options.NodeName,
        AgentVersion = Version,
        Epoch = state.Facts.Slice.Epoch,
        Revision = state.Revision,
        Ports = state.Facts.Ports.Values.Select(Realised).OrderBy(p => p.Id, StringComparer.Ordinal).ToEquatableArray(),
        Problems = Problems(state).ToEquatableArray(),
    };

    private static RealisedPort Realised(AttachedPort port)
    {
        Attachment a = port.Attachment;
        return new RealisedPort(a.Pod, a.Uid, port.OfPort, a.Addresses, a.Mac);
    }

    private IEnumerable<NodeProblem> Problems(AgentState state)
    {
        if (!state.IsCompared)
        {
            yield return new NodeProblem("NotComparedYet", $"node {options.NodeName}", state.Facts.Slice.IsKnown
                ? $"the rows of {options.Ovsdb} are not known yet, so nothing is compared or changed: is ovsdb-server running?"
                : "the controller has not told this node's state yet, so nothing is compared or changed");
        }

        foreach (var problem in (IEnumerable<NodeProblem>)state.Problems)
        {
            yield return problem;
        }

        if (ConntrackZones.NearLimit(state.Facts.Ports.Values.Select(p => p.Attachment.NetworkKey).Where(k => k != Network.DefaultKey).Distinct().Count()) is { } limit)
        {
            yield return new NodeProblem("NetworksNearLimit", $"node {options.NodeName}", limit);
        }

        foreach (var problem in host.Problems)
        {
            yield return new NodeProblem("HostNotInLine", $"node {options.NodeName}", problem);
        }

        if (host.Open is { } open)
        {
            yield return new NodeProblem("TenantsOpenToHostNetwork", $"node {options.NodeName}", open);
        }

        if (controller is { Connected: null, LastFailure: { Length: > 0 } failure })
        {
            yield return new NodeProblem("ControllerNotConnected", $"node {options.NodeName}", $"{failure}; what was known goes on working");
        }

        foreach (var problem in new[] { file.Problem, cni.Problem }.OfType<string>())
        {
            yield return new NodeProblem("StateNotSaved", $"node {options.NodeName}", problem);
        }

        if (cni.SpareProblem is { } spare)
        {
            yield return new NodeProblem("NoSparePorts", $"node {options.NodeName}", spare);
        }

        foreach (var problem in rows.DatapathProblems)
        {
            yield return new NodeProblem("DatapathLacksFeature", $"node {options.NodeName}", problem);
        }

        foreach (var port in rows.FailedPorts)
        {
            yield return new NodeProblem("PortFailed", port.Attachment is { } a ? $"pod {a.Pod}" : $"port {port.Name}", port.Error ?? "ovs-vswitchd could not open it");
        }
    }

    [LoggerMessage(3720, LogLevel.Debug, "No more reports")]
    private static partial void LogStopped(ILogger logger);
}
