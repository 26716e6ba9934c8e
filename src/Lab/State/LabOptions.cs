using System.Text.RegularExpressions;

namespace Weft.Lab.State;

/// <summary>What <c>lab up</c> was asked for.</summary>
public sealed partial record LabOptions
{
    /// <summary>Distinguishes several labs on one machine: at most 8 lower-case letters, digits and '-'.</summary>
    public string Name { get; init; } = "weft";

    /// <summary>How many nodes, 1 to 50.</summary>
    public int Nodes { get; init; } = 3;

    /// <summary>How many controllers, 1 to 3: one leads, the others stand by.</summary>
    public int Controllers { get; init; } = 1;

    /// <summary><c>geneve</c>, <c>gre</c> or <c>vxlan</c>.</summary>
    public string Tunnel { get; init; } = "geneve";

    /// <summary><c>netdev</c> (user space, everywhere) or <c>system</c> (the kernel's module, where there is one).</summary>
    public string Datapath { get; init; } = "netdev";

    /// <summary>MTU of the underlay in bytes.</summary>
    public int UnderlayMtu { get; init; } = 1500;

    /// <summary>Ports that each agent makes in advance, 0 to 256.</summary>
    public int SparePorts { get; init; }

    /// <summary>Pod addresses of the whole cluster, one range a family, comma separated. A node takes a /24 and a /64 of them.</summary>
    public string ClusterCidrs { get; init; } = "10.10.0.0/16,fd00:10:10::/56";

    /// <summary>A folder (or file) of manifests to apply; null: the demo; empty: none.</summary>
    public string? Manifests { get; init; }

    /// <summary>A kubeconfig of a real API server to use instead of the lab's own; null: the lab's own.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Says what is wrong, or null.</summary>
    public string? FindProblem() => this switch
    {
        _ when !NamePattern().IsMatch(Name) =>
            $"--name is '{Name}': it must have 1 to 8 lower-case letters, digits or '-', and begin with a letter",
        { Nodes: < 1 or > 50 } => $"--nodes is {Nodes}: it must be 1 to 50",
        { Controllers: < 1 or > 3 } => $"--controllers is {Controllers}: it must be 1 to 3",
        { Tunnel: not ("geneve" or "gre" or "vxlan") } => $"--tunnel is '{Tunnel}': it must be geneve, gre or vxlan",
        { Datapath: not ("netdev" or "system") } => $"--datapath is '{Datapath}': it must be netdev or system",
        { UnderlayMtu: < 1400 or > 9000 } => $"--mtu is {UnderlayMtu}: it must be 1400 to 9000",
        { SparePorts: < 0 or > 256 } => $"--spare-ports is {SparePorts}: it must be 0 to 256",
        _ when Kubeconfig is not null && !File.Exists(Kubeconfig) => $"--kubeconfig {Kubeconfig}: there is no such file",
        _ when !string.IsNullOrEmpty(Manifests) && !Path.Exists(Manifests) => $"--manifests {Manifests}: there is no such folder or file",
        _ => null,
    };

    [GeneratedRegex("^[a-z][a-z0-9-]{0,7}$")]
    private static partial Regex NamePattern();
}
