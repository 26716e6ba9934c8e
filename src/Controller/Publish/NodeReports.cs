using System.Collections.Concurrent;
using Weft.Topology;

namespace Weft.Controller.Publish;

/// <summary>The last report of each agent. Safe to use from any thread.</summary>
public sealed class NodeReports
{
    private readonly ConcurrentDictionary<string, NodeReport> _reports = new(StringComparer.Ordinal);

    /// <summary>Told the node of each report that comes in; must not block.</summary>
    public event Action<string>? Received;

    /// <summary>Replaces a node's report.</summary>
    public void Set(NodeReport report)
    {
        _reports[report.Node] = report;
        ControllerMetrics.Reports.Add(1);
        Received?.Invoke(report.Node);
    }

    /// <summary>The last report of a node, or null.</summary>
    public NodeReport? Find(string node) => _reports.GetValueOrDefault(node);
}
