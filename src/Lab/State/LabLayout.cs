using System.Globalization;
using Weft.Lab.Net;

namespace Weft.Lab.State;

/// <summary>Names and places of everything that a lab consists of; all of them follow from its name.</summary>
public sealed record LabLayout(string Name)
{
    private const string SpareSuffix = "-spare";

    /// <summary>Every process of a lab carries this variable with the lab's name, so that it is found whatever happened.</summary>
    public const string ProcessMark = "WEFT_LAB";

    /// <summary>Service addresses.</summary>
    public const string ServiceCidrs = "10.96.0.0/16,fd00:10:96::/112";

    /// <summary>Addresses of the underlay that load balancers get.</summary>
    public const string LoadBalancerPools = "172.30.0.224-172.30.0.239,fd00:172:30::e0-fd00:172:30::ef";

    /// <summary>Where the labs of this machine keep their state.</summary>
    public const string Root = "/run/weft-lab";

    /// <summary>The folder of this lab.</summary>
    public string Folder => Path.Combine(Root, Name);

    /// <summary>What is running, written while it is started.</summary>
    public string StateFile => Path.Combine(Folder, "lab.json");

    /// <summary>Held while the lab goes up or down.</summary>
    public string LockFile => Path.Combine(Root, Name + ".lock");

    /// <summary>The lab's cgroup, from the root of the hierarchy.</summary>
    public string Cgroup => $"weft-lab-{Name}";

    /// <summary>Where the lab mounts cgroup v2 when the machine has none.</summary>
    public string CgroupMount => Path.Combine(Root, Name + ".cgroup");

    /// <summary>What agents take for the host's /proc.</summary>
    public string HostProc => Path.Combine(Root, Name + ".proc");

    /// <summary>The cgroup namespace of the nodes, in <see cref="HostProc"/>.</summary>
    public string CgroupNamespace => Path.Combine(HostProc, "1", "ns", "cgroup");

    /// <summary>The API server's folder.</summary>
    public string ApiServerFolder => Path.Combine(Folder, "api");

    /// <summary>The API server's socket for the lab's own processes.</summary>
    public string ApiSocket => Path.Combine(ApiServerFolder, "api.sock");

    /// <summary>The administrator's kubeconfig, usable inside <see cref="ControlPlane"/>.</summary>
    public string Kubeconfig => Path.Combine(ApiServerFolder, "admin.kubeconfig");

    /// <summary>The controller's folder.</summary>
    public string ControllerFolder => Path.Combine(Folder, "controller");

    /// <summary>The bridge that joins everything.</summary>
    public Netns Underlay => new($"{Name}-under");

    /// <summary>API server and controller.</summary>
    public Netns ControlPlane => new($"{Name}-cp");

    /// <summary>A host outside the cluster.</summary>
    public Netns Outside => new($"{Name}-out");

    /// <summary>The nodes' names are <c>node1</c> and so on.</summary>
    public static string NodeName(int index) => string.Create(CultureInfo.InvariantCulture, $"node{index}");

    /// <summary>A node's namespace.</summary>
    public Netns Node(string node) => new($"{Name}-{node}");

    /// <summary>The namespace of a node's ports that are made in advance.</summary>
    public Netns Spares(string node) => new($"{Name}-{node}{SpareSuffix}");

    /// <summary>A node's folder.</summary>
    public string NodeFolder(string node) => Path.Combine(Folder, node);

    /// <summary>The folder of a node's Open vSwitch: database, sockets, pid files.</summary>
    public string OvsFolder(string node) => Path.Combine(Folder, node, "ovs");

    /// <summary>Where a node's agent listens for the CNI plugin.</summary>
    public string CniSocket(string node) => Path.Combine(Folder, node, "cni.sock");

    /// <summary>A pod's namespace; a later sandbox of the same pod has another one.</summary>
    public Netns Pod(string uid, int attempt) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Name}-pod-{Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{uid}/{attempt}")))[..12]}"));

    /// <summary>Namespaces of this lab that exist now.</summary>
    public IReadOnlyList<Netns> ExistingNamespaces()
    {
        if (!Directory.Exists(Netns.Folder))
        {
            return [];
        }

        return [.. Directory.EnumerateFiles(Netns.Folder, $"{Name}-*")
            .Select(file => new Netns(Path.GetFileName(file)))
            .Where(IsOurs)];
    }

    // The lab "a" must not take the namespaces of the lab "a-b".
    private bool IsOurs(Netns netns)
    {
        var rest = netns.Name[(Name.Length + 1)..].Replace(SpareSuffix, "", StringComparison.Ordinal);
        return rest is "under" or "cp" or "out"
            || (rest.StartsWith("node", StringComparison.Ordinal) && rest[4..].All(char.IsAsciiDigit))
            || (rest.StartsWith("pod-", StringComparison.Ordinal) && rest.Length == 16);
    }
}
