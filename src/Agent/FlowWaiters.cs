using Weft.Agent.Plan;
using Weft.Agent.Sync;
using Weft.OpenFlow.Entries;

namespace Weft.Agent;

/// <summary>Who waits for the switch's confirmation of the plan. Not thread-safe; owned by the agent's loop.</summary>
internal sealed class FlowWaiters
{
    private readonly List<(string? PortId, TaskCompletionSource Done)> _waiting = [];

    /// <summary>Adds one.</summary>
    /// <param name="portId">The attached port whose own flows count; null: any.</param>
    /// <returns>Ends with the next <see cref="Answer"/> or <see cref="Fail"/>.</returns>
    public Task Add(string? portId)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((portId, waiter));
        return waiter.Task;
    }

    /// <summary>The switch confirmed the plan but for what it refused: a port with a refused flow fails, all others are answered.</summary>
    public void Answer(IReadOnlyDictionary<FlowKey, RefusedFlow> refusals, FlowPlanner planner)
    {
        foreach (var (portId, done) in _waiting)
        {
            if (portId is not null && refusals.Values.FirstOrDefault(f => planner.OwnsFlow(portId, f.Flow.Key)) is { } refused)
            {
                done.SetException(new InvalidOperationException($"the switch does not take a flow of the pod ({refused.Error}): {refused.Flow}"));
            }
            else
            {
                done.SetResult();
            }
        }

        _waiting.Clear();
    }

    /// <summary>Nothing was confirmed.</summary>
    public void Fail(Exception reason)
    {
        foreach (var (_, done) in _waiting)
        {
            done.TrySetException(reason);
        }

        _waiting.Clear();
    }
}
