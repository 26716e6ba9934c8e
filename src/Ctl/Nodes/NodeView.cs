using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Names;
using Weft.Agent.Plan.Policies;
using Weft.Ctl.Clusters;
using Weft.Topology;

namespace Weft.Ctl.Nodes;

/// <summary>What a node's agent knows and what its switch has, read when it is made.</summary>
public sealed class NodeView
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ICluster _cluster;

    private NodeView(ICluster cluster, string name, Slice slice, IReadOnlyList<NodePort> ports)
    {
        (_cluster, Name, Slice, Ports) = (cluster, name, slice, ports);
        Owners = new OwnerNames(slice, ports);
        Bridge = ports.FirstOrDefault(p => p.Owner == "bridge")?.Name ?? "br-int";
    }

    /// <summary>The node's name.</summary>
    public string Name { get; }

    /// <summary>The agent's part of the logical network, at most a second old.</summary>
    public Slice Slice { get; }

    /// <summary>Ports that the agent made.</summary>
    public IReadOnlyList<NodePort> Ports { get; }

    /// <summary>Names behind cookies.</summary>
    public OwnerNames Owners { get; }

    /// <summary>The integration bridge.</summary>
    public string Bridge { get; }

    /// <summary>Reads a node.</summary>
    /// <exception cref="CtlException">It does not answer.</exception>
    public static async Task<NodeView> LoadAsync(ICluster cluster, string node, CancellationToken ct)
    {
        var state = cluster.RunAsync(node, ["cat", cluster.StateFile(node)], Limit, ct);
        var rows = await RunAsync(cluster, node, ct, "ovs-vsctl", "--timeout=10", "--format=json", "--columns=name,ofport,external_ids", "list", "Interface").ConfigureAwait(false);
        var slice = ReadSlice((await state.ConfigureAwait(false)).Output);
        return new NodeView(cluster, node, slice, ReadPorts(rows, await ReadNamesAsync(cluster, node, slice, ct).ConfigureAwait(false)));
    }

    /// <summary>The flows of the bridge.</summary>
    public async Task<IReadOnlyList<FlowLine>> FlowsAsync(CancellationToken ct) => FlowLine.ReadAll(await DumpAsync("dump-flows", ct).ConfigureAwait(false));

    /// <summary>What <c>ovs-ofctl</c> prints for a command on the bridge, with names of ports and tables.</summary>
    public Task<string> DumpAsync(string command, CancellationToken ct) =>
        RunAsync(_cluster, Name, ct, "ovs-ofctl", "-O", "OpenFlow13", "--names", command, Bridge);

    /// <summary>Runs a program on the node; one that fails is an error.</summary>
    public Task<string> RunAsync(CancellationToken ct, params string[] command) => RunAsync(_cluster, Name, ct, command);

    /// <summary>The port of a pod, or null.</summary>
    public NodePort? PortOf(string pod) => Ports.FirstOrDefault(p => p.Pod == pod);

    /// <summary>The port with this OpenFlow number, or null.</summary>
    public NodePort? PortAt(long ofPort) => Ports.FirstOrDefault(p => p.OfPort == ofPort);

    private static async Task<string> RunAsync(ICluster cluster, string node, CancellationToken ct, params string[] command)
    {
        var result = await cluster.RunAsync(node, command, Limit, ct).ConfigureAwait(false);
        return result.ExitCode == 0
            ? result.Output
            : throw new CtlException($"{node}: {string.Join(' ', command)}: {(result.Error.Length > 0 ? result.Error : result.Output).Trim()}");
    }

    /// <summary>What pods learned; asked for only where a policy has domain names. A node that has learned nothing yet has no such file.</summary>
    private static async Task<LearnedNames> ReadNamesAsync(ICluster cluster, string node, Slice slice, CancellationToken ct)
    {
        if (!slice.All<Policy>().Any(NameFlows.HasNames))
        {
            return LearnedNames.Empty;
        }

        var file = await cluster.RunAsync(node, ["cat", Path.Combine(Path.GetDirectoryName(cluster.StateFile(node))!, NameJournal.FileName)], Limit, ct).ConfigureAwait(false);
        return NameJournal.Parse(file.ExitCode == 0 ? file.Output.Split('\n') : []).Pass(TimeProvider.System.GetUtcNow());
    }

    private static Slice ReadSlice(string text)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            return new SliceFile(file, NullLogger<SliceFile>.Instance).Read();
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Rows in OVSDB's JSON form: a map is <c>["map",[[key,value],…]]</c>, an absent number <c>["set",[]]</c>.</summary>
    private static List<NodePort> ReadPorts(string json, LearnedNames names)
    {
        using var document = JsonDocument.Parse(json);
        var ports = new List<NodePort>();
        foreach (var row in document.RootElement.GetProperty("data").EnumerateArray())
        {
            var ids = row[2][1].EnumerateArray().ToDictionary(p => p[0].GetString()!, p => p[1].GetString()!, StringComparer.Ordinal);
            if (ids.GetValueOrDefault("weft-owner") is { } owner)
            {
                ports.Add(new NodePort(row[0].GetString()!, row[1].ValueKind == JsonValueKind.Number ? row[1].GetInt32() : -1, owner, ids.GetValueOrDefault("weft-pod"),
                    ids.GetValueOrDefault("weft-ips")?.Split(',') ?? [], ids.GetValueOrDefault("weft-mac"),
                    int.TryParse(ids.GetValueOrDefault("weft-network"), out var key) ? key : Network.DefaultKey)
                {
                    Names = names.Of(AttachedPort.IdOf(ids.GetValueOrDefault("weft-container-id", ""), ids.GetValueOrDefault("weft-ifname", ""))),
                });
            }
        }

        return ports;
    }
}
