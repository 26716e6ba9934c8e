using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>Measures how long changes wait for the switch's confirmation. <see cref="EventCame"/> is for any thread, the rest for the agent's loop.</summary>
internal sealed class SyncTimes(TimeProvider time)
{
    // Time stamps of the oldest event, and of the oldest change of a policy, that the switch has not confirmed yet; 0 for none.
    private long _eventSince;
    private long _unconfirmedSince;
    private long _policySince;
    private long _computed;

    /// <summary>Something was put into the inbox.</summary>
    public void EventCame() => Interlocked.CompareExchange(ref _eventSince, time.GetTimestamp(), 0);

    /// <summary>A step of the node stream is in the facts.</summary>
    /// <param name="change">The step.</param>
    /// <param name="received">The time stamp of its arrival.</param>
    public void Received(SliceChange change, long received)
    {
        if (_policySince == 0 && change.Changed.Any(c => c.Kind is ItemKind.Policy or ItemKind.AddressSet or ItemKind.PortSet))
        {
            _policySince = received;
        }
    }

    /// <summary>All events up to now are in the batch that begins.</summary>
    public void BatchBegins()
    {
        if (Interlocked.Exchange(ref _eventSince, 0) is not 0 and var since && _unconfirmedSince == 0)
        {
            _unconfirmedSince = since;
        }
    }

    /// <summary>The switch confirmed the batch.</summary>
    /// <param name="begun">When the round began.</param>
    /// <param name="computed">Owners computed since the agent's start.</param>
    public void Confirmed(long begun, long computed)
    {
        AgentMetrics.SyncDuration.Record(time.GetElapsedTime(begun).TotalSeconds);
        if (_unconfirmedSince != 0)
        {
            AgentMetrics.SyncDelay.Record(time.GetElapsedTime(_unconfirmedSince).TotalSeconds);
        }

        if (_policySince != 0)
        {
            AgentMetrics.PolicyLatency.Record(time.GetElapsedTime(_policySince).TotalSeconds);
        }

        AgentMetrics.Recomputes.Add(computed - _computed);
        _computed = computed;
        (_unconfirmedSince, _policySince) = (0, 0);
    }
}
