using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Topology;

namespace Weft.Controller;

/// <summary>The controller's configuration file (JSON, <c>--config FILE</c>).</summary>
/// <remarks>Settable, because generated deserialization resets init-only properties that the file leaves out.</remarks>
public sealed record ControllerOptions
{
    /// <summary>The API server's kubeconfig; absent: the cluster that this process runs in.</summary>
    public string? Kubeconfig { get; set; }

    /// <summary>Where agents connect, address:port.</summary>
    public string Listen { get; set; } = "0.0.0.0:7443";

    /// <summary>A folder with <c>ca.crt</c>, <c>ca.key</c>, <c>tls.crt</c> and <c>tls.key</c>; what is missing is made. Agents trust <c>ca.crt</c>.</summary>
    public string TlsDir { get; set; } = "";

    /// <summary>More names and addresses that the certificate is for, beside the Service's names and this host's.</summary>
    public string[] TlsNames { get; set; } = [];

    /// <summary><c>geneve</c>, <c>vxlan</c> or <c>gre</c>.</summary>
    public string Tunnel { get; set; } = "geneve";

    /// <summary>MTU of pods in bytes; 0: each node computes it.</summary>
    public int Mtu { get; set; }

    /// <summary>The pods' ranges, both families.</summary>
    public string[] ClusterCidrs { get; set; } = [];

    /// <summary>The ranges of ClusterIPs, both families.</summary>
    public string[] ServiceCidrs { get; set; } = [];

    /// <summary>Addresses for Services of type LoadBalancer, both families: CIDRs (every address of it) or ranges <c>192.0.2.10-192.0.2.20</c>. Nodes must have
    /// the link that these addresses are on; one of them answers for each. Empty: somebody else gives the addresses.</summary>
    public string[] LoadBalancerPools { get; set; } = [];

    /// <summary>The namespace of leases and events.</summary>
    public string Namespace { get; set; } = "weft-system";

    /// <summary><c>tokenReview</c>: agents show a service-account token that is bound to their node; <c>none</c>: anybody may ask (laboratories).</summary>
    public string AgentAuthentication { get; set; } = "tokenReview";

    /// <summary>Replicas elect a leader with a Lease; false: this is the only one.</summary>
    public bool LeaderElection { get; set; } = true;

    /// <summary>The audience that agents' tokens must be for; empty: the API server's own.</summary>
    public string AgentAudience { get; set; } = "";

    /// <summary>Address of the page with metrics, address:port over HTTP; absent: it is served at <see cref="Listen"/> only.</summary>
    public string? MetricsListen { get; set; }

    /// <summary>Where metrics are sent by OTLP (gRPC), for example <c>http://otel-collector:4317</c>; absent: nowhere.</summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary>Log levels by category, <c>Default</c> for the rest. The only field that takes effect without a restart.</summary>
    public Dictionary<string, string> LogLevels { get; set; } = new() { ["Default"] = "Information", ["Microsoft"] = "Warning" };

    /// <summary>The settings that all nodes get.</summary>
    [JsonIgnore]
    public ClusterSettings Settings => new()
    {
        Id = ClusterSettings.TheId,
        Tunnel = Enum.Parse<TunnelType>(Tunnel, ignoreCase: true),
        Mtu = Mtu,
        ClusterCidrs = Ranges(ClusterCidrs),
        ServiceCidrs = Ranges(ServiceCidrs),
    };

    /// <summary>The pools of load balancers.</summary>
    [JsonIgnore]
    public IReadOnlyList<AddressRange> PoolRanges => [.. LoadBalancerPools.Select(p => AddressRange.TryParse(p, out var range) ? range : throw new InvalidOperationException($"'{p}' was not validated"))];

    /// <summary>Where to listen.</summary>
    [JsonIgnore]
    public IPEndPoint Endpoint => IPEndPoint.Parse(Listen);

    /// <summary>Where the page with metrics is, beside <see cref="Endpoint"/>.</summary>
    [JsonIgnore]
    public IPEndPoint? MetricsEndpoint => MetricsListen is null ? null : IPEndPoint.Parse(MetricsListen);

    /// <summary>Reads and validates a file.</summary>
    /// <exception cref="ControllerConfigurationException">The message names the file, the field and the remedy.</exception>
    public static ControllerOptions Load(string path)
    {
        ControllerOptions options;
        try
        {
            options = JsonSerializer.Deserialize(File.ReadAllText(path), ControllerOptionsJson.Default.ControllerOptions)
                ?? throw new ControllerConfigurationException($"{path}: the file is empty; it must hold a JSON object");
        }
        catch (JsonException e)
        {
            throw new ControllerConfigurationException($"{path}: {e.Path ?? "$"}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ControllerConfigurationException($"{path}: cannot be read: {e.Message}", e);
        }

        var problem = options.FindProblem();
        return problem is null ? options : throw new ControllerConfigurationException($"{path}: {problem}");
    }

    private static EquatableArray<string> Ranges(string[] cidrs) =>
        cidrs.Select(c => Cidr.TryNormalise(c, out var cidr) ? cidr : throw new InvalidOperationException($"'{c}' was not validated")).ToEquatableArray();

    private string? FindProblem() => this switch
    {
        { TlsDir: "" } => "tlsDir is missing: give a folder for the controller's certificates",
        _ when !IPEndPoint.TryParse(Listen, out var endpoint) || !Listen.Contains(':', StringComparison.Ordinal) || endpoint is null =>
            $"listen is '{Listen}': it must be address:port, for example 0.0.0.0:7443",
        _ when !Enum.TryParse<TunnelType>(Tunnel, ignoreCase: true, out _) || char.IsDigit(Tunnel[0]) =>
            $"tunnel is '{Tunnel}': it must be geneve, vxlan or gre",
        { Mtu: < 0 or (> 0 and < 1280) or > 65535 } => $"mtu is {Mtu}: it must be 0 (automatic) or 1280 to 65535",
        _ when Array.Find(TlsNames, n => !ServerCertificates.IsName(n)) is { } name => $"tlsNames has '{name}': it must be DNS names and addresses",
        { AgentAuthentication: not ("tokenReview" or "none") } => $"agentAuthentication is '{AgentAuthentication}': it must be tokenReview or none",
        _ when LoadBalancerPools.FirstOrDefault(p => !AddressRange.TryParse(p, out _)) is { } bad =>
            $"loadBalancerPools has '{bad}': it must be a CIDR such as 192.0.2.0/28 or a range such as 192.0.2.10-192.0.2.20",
        { Namespace: "" } => "namespace is empty: give the controller's namespace",
        _ when MetricsListen is not null && !IPEndPoint.TryParse(MetricsListen, out _) =>
            $"metricsListen is '{MetricsListen}': it must be address:port, for example 0.0.0.0:10350",
        _ when OtlpEndpoint is not null && !Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out _) =>
            $"otlpEndpoint is '{OtlpEndpoint}': it must be a URL such as http://otel-collector:4317",
        _ => BadRange("clusterCidrs", ClusterCidrs) ?? BadRange("serviceCidrs", ServiceCidrs) ?? Telemetry.LogLevels.FindProblem("logLevels", LogLevels),
    };

    private static string? BadRange(string field, string[] cidrs) =>
        cidrs.FirstOrDefault(c => !Cidr.TryNormalise(c, out _)) is { } bad ? $"{field} has '{bad}': it must be a CIDR such as 10.244.0.0/16" : null;
}

/// <summary>The configuration cannot be used; the message says which field and what to do.</summary>
public sealed class ControllerConfigurationException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ControllerOptions))]
internal sealed partial class ControllerOptionsJson : JsonSerializerContext
{
}
