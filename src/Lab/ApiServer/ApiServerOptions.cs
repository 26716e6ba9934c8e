using System.Collections.Immutable;
using System.Net;

namespace Weft.Lab.ApiServer;

/// <summary>How one API server runs. Checked by <see cref="ApiServerCommand"/> before it gets here.</summary>
public sealed record ApiServerOptions
{
    public const string DefaultServiceCidr = "10.96.0.0/16,fd00:10:96::/112";

    public const string DefaultClusterCidr = "10.244.0.0/16,fd00:10:244::/48";

    /// <summary>Certificates, <c>admin.kubeconfig</c> and the journal live here; made when missing.</summary>
    public required string StateDirectory { get; init; }

    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 6443);

    /// <summary>Plain HTTP with all rights, for the lab's own kubelets; null for none.</summary>
    public string? UnixSocket { get; init; }

    /// <summary>One range per family, the first is the default family of Services.</summary>
    public ImmutableArray<CidrRange> ServiceCidrs { get; init; } = CidrRange.ParseList("default", DefaultServiceCidr);

    /// <summary>One range per family; a node gets a /24 or a /64 of each.</summary>
    public ImmutableArray<CidrRange> ClusterCidrs { get; init; } = CidrRange.ParseList("default", DefaultClusterCidr);

    public AuthorizationMode Authorization { get; init; }

    /// <summary>Changes per resource that a watch can resume from, at least 1.</summary>
    public int WatchHistory { get; init; } = 50_000;

    /// <summary>Names of <see cref="ControllerNames"/> that do not run.</summary>
    public ImmutableHashSet<string> DisabledControllers { get; init; } = [];

    /// <summary>How often a quiet watch gets a bookmark when it asked for bookmarks.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Objects survive a restart of the process; off only for benchmarks.</summary>
    public bool Journal { get; init; } = true;
}
