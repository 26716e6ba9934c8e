using Microsoft.Extensions.Logging;
using Weft.Agent.Plan;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;

namespace Weft.Agent.Sync;

/// <summary>A flow that the switch does not take.</summary>
/// <param name="Flow">The flow.</param>
/// <param name="Error">The OpenFlow error's name.</param>
public sealed record RefusedFlow(Flow Flow, string Error);

/// <summary>The flows that the switch does not take: they are left out, so that the rest of a bundle is in effect. Used by the agent's loop only.</summary>
internal sealed partial class RefusedFlows(ILogger logger)
{
    private readonly Dictionary<FlowKey, RefusedFlow> _all = [];

    public IReadOnlyDictionary<FlowKey, RefusedFlow> All => _all;

    /// <summary>Leaves a message's flow out from now on.</summary>
    /// <returns>False when something else than a flow to be added was refused.</returns>
    public bool Take(MessageFailure failure)
    {
        if (failure.Message is not FlowMod { Command: FlowCommand.Add } mod)
        {
            return false;
        }

        _all[mod.Flow.Key] = new RefusedFlow(mod.Flow, failure.Error.Name);
        LogRefused(logger, failure.Error.Name, mod.Flow.ToString());
        return true;
    }

    /// <summary>What can be sent of a difference.</summary>
    public Difference<FlowKey, Flow> LeaveOut(Difference<FlowKey, Flow> difference) => _all.Count == 0
        ? difference
        : difference with { Upserts = [.. difference.Upserts.Where(f => !_all.ContainsKey(f.Key))] };

    /// <summary>What is planned otherwise by now is not refused any more.</summary>
    public void ForgetReplanned(OwnedEntries<FlowKey, Flow> plan)
    {
        foreach (var (key, refused) in _all)
        {
            if (!plan.TryGet(key, out var planned) || planned != refused.Flow)
            {
                _all.Remove(key);
            }
        }
    }

    /// <summary>The switch is another one now, or has what it lacked.</summary>
    /// <returns>The flows to try again.</returns>
    public IReadOnlyList<FlowKey> Clear()
    {
        FlowKey[] retried = [.. _all.Keys];
        _all.Clear();
        return retried;
    }

    [LoggerMessage(3744, LogLevel.Error, "The switch does not take a flow ({Error}); it is left out: {Flow}")]
    private static partial void LogRefused(ILogger logger, string error, string flow);
}
