using Weft.Controller.Publish;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Puts what agents say is wrong with a pod on the pod itself, as an event: there its owner looks.</summary>
public sealed class PodProblems
{
    private const string PodPrefix = "pod ";
    private readonly NodeReports _reports;
    private readonly Publisher _publisher;
    private readonly EventRecorder _events;

    /// <summary>Follows the reports from now on.</summary>
    public PodProblems(NodeReports reports, Publisher publisher, EventRecorder events)
    {
        (_reports, _publisher, _events) = (reports, publisher, events);
        reports.Received += Tell;
    }

    /// <summary>The recorder writes the same event at most once in ten minutes, so every report may say it again.</summary>
    private void Tell(string node)
    {
        foreach (var problem in _reports.Find(node)?.Problems ?? [])
        {
            if (problem.Subject.StartsWith(PodPrefix, StringComparison.Ordinal) && problem.Subject[PodPrefix.Length..].Split('/') is [var ns, var name]
                && _publisher.Read(n => n.UidOf(new ObjectKey(ns, name))) is { } uid)
            {
                var pod = new V1Pod { Metadata = new V1ObjectMeta { NamespaceProperty = ns, Name = name, Uid = uid } };
                _events.Warn(pod, problem.Reason, $"on node {node}: {problem.Message}");
            }
        }
    }
}
