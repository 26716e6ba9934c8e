using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>The controllers inside the API server's process, by the name that turns them off.</summary>
public static class ControllerNames
{
    public const string Namespace = "namespace";
    public const string NodeIpam = "node-ipam";
    public const string Scheduler = "scheduler";
    public const string EndpointSlice = "endpointslice";
    public const string GarbageCollector = "garbagecollector";
    public const string Workloads = "workloads";

    public static readonly ImmutableArray<string> All = [Namespace, NodeIpam, Scheduler, EndpointSlice, GarbageCollector, Workloads];

    /// <exception cref="ArgumentException">A name is not a controller's.</exception>
    public static ImmutableHashSet<string> Check(IEnumerable<string> names)
    {
        var set = names.ToImmutableHashSet(StringComparer.Ordinal);
        var unknown = set.Except(All);
        return unknown.IsEmpty ? set
            : throw new ArgumentException($"--disable-controller {unknown.First()}: unknown; choose from {string.Join(", ", All)}");
    }
}
