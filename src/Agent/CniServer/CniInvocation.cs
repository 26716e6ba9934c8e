using System.Text.RegularExpressions;
using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>A command of the runtime whose parameters are valid.</summary>
internal sealed partial record CniInvocation
{
    public required string Command { get; init; }

    public required CniConfig Config { get; init; }

    public string ContainerId { get; init; } = "";

    public string Netns { get; init; } = "";

    public string IfName { get; init; } = "";

    public string PodNamespace { get; init; } = "";

    public string PodName { get; init; } = "";

    public string PodUid { get; init; } = "";

    public string Pod => $"{PodNamespace}/{PodName}";

    public Leases.LeaseKey Key => new(ContainerId, IfName);

    /// <summary>Reads and checks what the plugin sent.</summary>
    /// <exception cref="CniException">The message names the variable or field and the remedy.</exception>
    public static CniInvocation Parse(CniRequest request)
    {
        var config = CniConfig.Parse(request.Config);
        if (!CniVersions.Knows(config.CniVersion, request.Command))
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion,
                $"{request.Command} does not exist in CNI {config.CniVersion}",
                $"set cniVersion to {CniVersions.Newest}");
        }

        var invocation = new CniInvocation
        {
            Command = request.Command,
            Config = config,
            ContainerId = request.ContainerId,
            Netns = request.Netns,
            IfName = request.IfName,
        };
        return request.Command switch
        {
            "ADD" or "CHECK" => invocation.RequireInterface().RequireNetns().WithPod(request.Args),
            "DEL" => invocation.RequireInterface(),
            _ => invocation,
        };
    }

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9_.\-]*\z")]
    private static partial Regex ContainerIdPattern();

    private CniInvocation RequireInterface()
    {
        if (ContainerId.Length > 256 || !ContainerIdPattern().IsMatch(ContainerId))
        {
            throw Environment("CNI_CONTAINERID", ContainerId, "it must start with a letter or digit and go on with letters, digits, '_', '.' and '-'");
        }

        // The kernel's rule (dev_valid_name) and the specification's.
        var valid = IfName is { Length: > 0 and <= 15 } and not ("." or "..")
            && IfName.All(c => c is > ' ' and < (char)0x7f and not ('/' or ':' or '%'));
        return valid ? this : throw Environment("CNI_IFNAME", IfName, "it must be an interface name of 1 to 15 characters without '/', ':', '%' and spaces");
    }

    private CniInvocation RequireNetns()
    {
        if (Netns.Length == 0 || Netns[0] != '/' || Netns.Contains('\0', StringComparison.Ordinal))
        {
            throw Environment("CNI_NETNS", Netns, "it must be the absolute path of the pod's network namespace");
        }

        return File.Exists(Netns)
            ? this
            : throw new CniException(
                CniErrorCode.ContainerUnknown,
                $"network namespace {Netns} does not exist",
                "the container is gone, or the agent does not see the runtime's namespaces: mount /run/netns with mountPropagation HostToContainer");
    }

    /// <summary>Reads <c>K8S_POD_NAMESPACE=..;K8S_POD_NAME=..;K8S_POD_UID=..</c> and passes over what else is there.</summary>
    private CniInvocation WithPod(string args)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in args.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw Environment("CNI_ARGS", args, $"'{part}' is not of the form KEY=VALUE");
            }

            pairs[part[..equals]] = part[(equals + 1)..];
        }

        string Required(string key) => pairs.GetValueOrDefault(key) is { Length: > 0 } value && !value.Contains('/', StringComparison.Ordinal)
            ? value
            : throw Environment("CNI_ARGS", args, $"{key} is missing: this plugin serves Kubernetes pods only");

        return this with
        {
            PodNamespace = Required("K8S_POD_NAMESPACE"),
            PodName = Required("K8S_POD_NAME"),
            PodUid = pairs.GetValueOrDefault("K8S_POD_UID", ""),
        };
    }

    private static CniException Environment(string variable, string value, string problem)
    {
        var shown = value.Length > 100 ? value[..100] + "…" : value;
        return new CniException(CniErrorCode.InvalidEnvironment, $"{variable} is '{shown}': {problem}", "the container runtime sets this variable");
    }
}
