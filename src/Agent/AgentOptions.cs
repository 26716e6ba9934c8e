using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Agent;

/// <summary>The agent's configuration file (JSON, <c>--config FILE</c>).</summary>
/// <remarks>Settable, because generated deserialization resets init-only properties that the file leaves out.</remarks>
public sealed record AgentOptions
{
    private const int MostSparePorts = 256;

    /// <summary>The Kubernetes node's name. Required.</summary>
    public string NodeName { get; set; } = "";

    /// <summary>Controllers to try in turn, for example <c>https://weft-controller.weft-system.svc:7443</c>. At least one.</summary>
    public string[] Controllers { get; set; } = [];

    /// <summary>The CA that the controller's certificate must come from (PEM).</summary>
    public string? ControllerCaFile { get; set; }

    /// <summary>The service-account token that names this agent to the controller; read again when it changes.</summary>
    public string? TokenFile { get; set; }

    /// <summary>The local OVSDB, for example <c>unix:/run/openvswitch/db.sock</c>.</summary>
    public string Ovsdb { get; set; } = "unix:/run/openvswitch/db.sock";

    /// <summary>The folder in which ovs-vswitchd keeps <c>BRIDGE.mgmt</c>.</summary>
    public string OvsRunDir { get; set; } = "/run/openvswitch";

    /// <summary>The integration bridge.</summary>
    public string Bridge { get; set; } = "br-int";

    /// <summary><c>system</c> (kernel data path) or <c>netdev</c> (user space).</summary>
    public string DatapathType { get; set; } = "system";

    /// <summary>The socket that the CNI plugin calls.</summary>
    public string CniSocket { get; set; } = "/run/weft/cni.sock";

    /// <summary>Leases and the last known node state.</summary>
    public string StateDir { get; set; } = "/var/lib/weft";

    /// <summary>Address of the agent's own pages (metrics, health, plan), host:port.</summary>
    public string Listen { get; set; } = "127.0.0.1:10351";

    /// <summary>MTU of the uplink in bytes; 0: read from the interface that owns the node's address.</summary>
    public int UplinkMtu { get; set; }

    /// <summary>Ports that are made before their pods come, 0 to 256: on a node with hundreds of pods the next one starts as fast as on an empty node. 0: none.</summary>
    public int SparePorts { get; set; }

    /// <summary>The network namespace in which the inner sides of spare ports are. It must exist and outlive the agent: pods that got such a port lose it with the namespace.</summary>
    public string SparePortsNamespace { get; set; } = "/run/netns/weft-ports";

    /// <summary>Seconds that an address which a name server told a pod may be used for at least, whatever its TTL: a client connects a moment after it asked.</summary>
    public int MinimumNameTtl { get; set; } = 15;

    /// <summary>Which processes of the node's host network reach its tenant pods: <c>kubelet</c>, <c>any</c> or <c>none</c> (probes by HTTP, TCP and gRPC then fail).</summary>
    public string HostAccessToTenants { get; set; } = "kubelet";

    /// <summary>The kubelet's cgroup from the root of the hierarchy, for example <c>system.slice/kubelet.service</c>; empty: that of the host's process named kubelet.</summary>
    public string KubeletCgroup { get; set; } = "";

    /// <summary>The host's <c>/proc</c>, when the agent runs in a container; empty: the agent is in the host's own namespaces of cgroups and processes.</summary>
    public string HostProc { get; set; } = "";

    /// <summary>Where the host's cgroup v2 hierarchy is mounted.</summary>
    public string HostCgroup { get; set; } = "/sys/fs/cgroup";

    /// <summary>Where metrics are sent by OTLP (gRPC), for example <c>http://otel-collector:4317</c>; absent: nowhere.</summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary>Log levels by category, <c>Default</c> for the rest. The only field that takes effect without a restart.</summary>
    public Dictionary<string, string> LogLevels { get; set; } = new() { ["Default"] = "Information", ["Microsoft"] = "Warning" };

    /// <summary>Reads and validates a file. In texts, <c>${NAME}</c> stands for an environment variable.</summary>
    /// <exception cref="AgentConfigurationException">The message names the file, the field and the remedy.</exception>
    public static AgentOptions Load(string path)
    {
        AgentOptions options;
        try
        {
            options = JsonSerializer.Deserialize(File.ReadAllText(path), AgentOptionsJson.Default.AgentOptions)
                ?? throw new AgentConfigurationException($"{path}: the file is empty; it must hold a JSON object");
        }
        catch (JsonException e)
        {
            throw new AgentConfigurationException($"{path}: {e.Path ?? "$"}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentConfigurationException($"{path}: cannot be read: {e.Message}", e);
        }

        try
        {
            options.Expand();
        }
        catch (FormatException e)
        {
            throw new AgentConfigurationException($"{path}: {e.Message}", e);
        }

        var problem = options.FindProblem();
        return problem is null ? options : throw new AgentConfigurationException($"{path}: {problem}");
    }

    private void Expand()
    {
        NodeName = EnvironmentText.Expand("nodeName", NodeName);
        Listen = EnvironmentText.Expand("listen", Listen);
        Controllers = [.. Controllers.Select(c => EnvironmentText.Expand("controllers", c))];
    }

    private string? FindProblem() => this switch
    {
        { NodeName: "" } => "nodeName is missing: give the name of this node in Kubernetes",
        { Controllers.Length: 0 } => "controllers is empty: give at least one URL such as https://weft-controller:7443",
        { DatapathType: not ("system" or "netdev") } => $"datapathType is '{DatapathType}': it must be 'system' or 'netdev'",
        { UplinkMtu: < 0 or > 65535 } => $"uplinkMtu is {UplinkMtu}: it must be 0 (automatic) to 65535",
        { SparePorts: < 0 or > MostSparePorts } => $"sparePorts is {SparePorts}: it must be 0 to {MostSparePorts}",
        { SparePortsNamespace: [not '/', ..] or "" } => $"sparePortsNamespace is '{SparePortsNamespace}': it must be the path of a network namespace such as /run/netns/weft-ports",
        { MinimumNameTtl: < 0 or > 86400 } => $"minimumNameTtl is {MinimumNameTtl}: it must be 0 to 86400 seconds",
        { HostAccessToTenants: not ("kubelet" or "any" or "none") } => $"hostAccessToTenants is '{HostAccessToTenants}': it must be 'kubelet', 'any' or 'none'",
        _ when KubeletCgroup.Split('/').Any(part => part is "." or "..") => $"kubeletCgroup is '{KubeletCgroup}': it must be a path from the root of the hierarchy without . and .., such as system.slice/kubelet.service",
        { HostCgroup: not ['/', ..] } => $"hostCgroup is '{HostCgroup}': it must be a path that begins with /",
        { HostProc: not ("" or ['/', ..]) } => $"hostProc is '{HostProc}': it must be empty or a path that begins with /",
        { Bridge.Length: 0 or > 15 } => $"bridge is '{Bridge}': it must have 1 to 15 characters",
        _ => Controllers.FirstOrDefault(c => !Uri.TryCreate(c, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) is { } bad
            ? $"controllers has '{bad}': it must be an http or https URL"
            : OtlpEndpoint is not null && !Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out _) ? $"otlpEndpoint is '{OtlpEndpoint}': it must be a URL such as http://otel-collector:4317"
            : Telemetry.LogLevels.FindProblem("logLevels", LogLevels),
    };
}

/// <summary>The configuration cannot be used; the message says which field and what to do.</summary>
public sealed class AgentConfigurationException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(AgentOptions))]
internal sealed partial class AgentOptionsJson : JsonSerializerContext
{
}
