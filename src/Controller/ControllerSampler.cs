using Weft.Controller.Publish;

namespace Weft.Controller;

/// <summary>Measures what is a state and not an event, when somebody looks. Safe to use from any thread.</summary>
public sealed class ControllerSampler(Publisher publisher, Leadership leadership, NodeReports reports)
{
    /// <summary>Measures now.</summary>
    public void Sample()
    {
        ControllerMetrics.Leader.Record(leadership.IsLeader ? 1 : 0);
        ControllerMetrics.Synced.Record(publisher.Synced.IsCompleted ? 1 : 0);
        ControllerMetrics.Streams.Record(publisher.SubscriptionCount);
        var (revision, nodes, items) = publisher.Read(n => (n.Revision, n.NodeNames.ToList(), new (string Kind, int Count)[]
        {
            ("node", n.View.Nodes.Count()),
            ("port", n.View.Ports.Count()),
            ("policy", n.View.Policies.Count()),
            ("address_set", n.View.AddressSets.Count()),
            ("load_balancer", n.View.LoadBalancers.Count()),
        }));
        ControllerMetrics.Revision.Record(revision);
        foreach (var (kind, count) in items)
        {
            ControllerMetrics.Items.Record(count, new KeyValuePair<string, object?>("kind", kind));
        }

        var known = nodes.Select(reports.Find).ToList();
        ControllerMetrics.NodesBehind.Record(known.Count(r => r is not { Revision: > 0, Problems.IsEmpty: true }));
        ControllerMetrics.Problems.Record(known.Sum(r => r?.Problems.Count ?? 0));
    }
}
