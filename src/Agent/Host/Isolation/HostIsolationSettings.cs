namespace Weft.Agent.Host.Isolation;

/// <summary>How <see cref="HostIsolation"/> is to work.</summary>
public sealed record HostIsolationSettings
{
    /// <summary>Who reaches tenant pods.</summary>
    public HostAccess Access { get; init; }

    /// <summary>The kubelet's cgroup from the root of the hierarchy, for example <c>system.slice/kubelet.service</c>; empty: that of the process named kubelet.</summary>
    public string KubeletCgroup { get; init; } = "";

    /// <summary>The host's /proc; empty: the agent runs in the host's cgroup and process namespaces itself.</summary>
    public string Proc { get; init; } = "";

    /// <summary>Where the host's cgroup hierarchy is mounted.</summary>
    public string CgroupFolder { get; init; } = "/sys/fs/cgroup";

    /// <summary>Where it is remembered which cgroup was the kubelet's.</summary>
    public string StateDir { get; init; } = "/var/lib/weft";

    /// <summary>Events tell of a kubelet that restarts and of rules that others change; what they miss is found in this time.</summary>
    public TimeSpan LookAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The agent's.</summary>
    public static HostIsolationSettings Of(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new HostIsolationSettings
        {
            Access = Enum.Parse<HostAccess>(options.HostAccessToTenants, ignoreCase: true),
            KubeletCgroup = options.KubeletCgroup,
            Proc = options.HostProc,
            CgroupFolder = options.HostCgroup,
            StateDir = options.StateDir,
        };
    }
}
