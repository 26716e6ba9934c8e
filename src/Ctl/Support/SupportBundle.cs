using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Ctl.Clusters;
using Weft.Ctl.Nodes;

namespace Weft.Ctl.Support;

/// <summary>Collects what somebody needs who was not there. Secrets and ConfigMaps are never read; what looks like a token or key is blotted out.</summary>
public sealed partial class SupportBundle(ICluster cluster, int logLines)
{
    private const string Hidden = "(hidden)";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly string[] Objects =
    [
        "/api/v1/nodes", "/api/v1/pods", "/api/v1/services", "/api/v1/namespaces", "/api/v1/events", "/apis/discovery.k8s.io/v1/endpointslices",
        "/apis/networking.k8s.io/v1/networkpolicies", "/apis/coordination.k8s.io/v1/leases", "/apis/topology.weft.dev/v1alpha1/nodestates",
        "/apis/topology.weft.dev/v1alpha1/logicalports", "/apis/topology.weft.dev/v1alpha1/policies", "/apis/topology.weft.dev/v1alpha1/loadbalancers",
        "/apis/weft.dev/v1alpha1/vpcs", "/apis/weft.dev/v1alpha1/subnets", "/apis/weft.dev/v1alpha1/vpcpeerings",
    ];

    private static readonly (string File, string[] Command)[] OnNode =
    [
        ("ovs-vsctl-show.txt", ["ovs-vsctl", "--timeout=10", "show"]),
        ("interfaces.txt", ["ovs-vsctl", "--timeout=10", "list", "Interface"]),
        ("flows.txt", ["ovs-ofctl", "-O", "OpenFlow13", "--names", "dump-flows", "BRIDGE"]),
        ("groups.txt", ["ovs-ofctl", "-O", "OpenFlow13", "dump-groups", "BRIDGE"]),
        ("ports.txt", ["ovs-ofctl", "-O", "OpenFlow13", "dump-ports", "BRIDGE"]),
        ("tunnels.txt", ["ovs-appctl", "--timeout=10", "tnl/ports/show", "-v"]),
        ("neighbours.txt", ["ovs-appctl", "--timeout=10", "tnl/neigh/show"]),
        ("coverage.txt", ["ovs-appctl", "--timeout=10", "coverage/show"]),
        ("conntrack.txt", ["ovs-appctl", "--timeout=10", "dpctl/ct-stats-show"]),
        ("addresses.txt", ["ip", "-d", "address"]),
        ("routes.txt", ["ip", "route", "show", "table", "all"]),
        ("nftables.txt", ["nft", "list", "table", "inet", "weft"]),
    ];

    /// <summary>Writes the archive.</summary>
    /// <param name="path">A <c>.tar.gz</c> file.</param>
    /// <returns>Names of the files in it, in order.</returns>
    /// <remarks>What cannot be read is in the archive as the reason why.</remarks>
    public async Task<IReadOnlyList<string>> WriteAsync(string path, CancellationToken ct)
    {
        var names = new List<string>();
        await using var file = File.Create(path);
        await using var zip = new GZipStream(file, CompressionLevel.Optimal);
        await using var tar = new TarWriter(zip, TarEntryFormat.Pax);
        foreach (var api in Objects)
        {
            await AddAsync(tar, names, $"api/{api.Split('/')[^1]}.json", async () => Cleaned(await cluster.GetAsync(api, ct).ConfigureAwait(false)).ToJsonString(Json.Indented)).ConfigureAwait(false);
        }

        await AddAsync(tar, names, "controller.log", () => cluster.LogAsync(null, logLines, ct)).ConfigureAwait(false);
        var directory = await NodeDirectory.LoadAsync(cluster, ct).ConfigureAwait(false);
        foreach (var node in directory.NodeNames)
        {
            foreach (var (name, command) in OnNode)
            {
                await AddAsync(tar, names, $"nodes/{node}/{name}", () => RunAsync(node, [.. command.Select(c => c == "BRIDGE" ? "br-int" : c)], ct)).ConfigureAwait(false);
            }

            await AddAsync(tar, names, $"nodes/{node}/state.ndjson", () => RunAsync(node, ["cat", cluster.StateFile(node)], ct)).ConfigureAwait(false);
            await AddAsync(tar, names, $"nodes/{node}/agent.log", () => cluster.LogAsync(node, logLines, ct)).ConfigureAwait(false);
        }

        return names;
    }

    private static async Task AddAsync(TarWriter tar, List<string> names, string name, Func<Task<string>> read)
    {
        string text;
        try
        {
            text = await read().ConfigureAwait(false);
        }
        catch (CtlException e)
        {
            text = $"cannot be read: {e.Message}\n";
        }

        using var content = new MemoryStream(Encoding.UTF8.GetBytes(Blotted(text)));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content }).ConfigureAwait(false);
        names.Add(name);
    }

    private async Task<string> RunAsync(string node, IReadOnlyList<string> command, CancellationToken ct)
    {
        var result = await cluster.RunAsync(node, command, Limit, ct).ConfigureAwait(false);
        return result.Output + (result.Error.Length > 0 ? $"\n{result.Error}" : "");
    }

    /// <summary>What programs are given often holds passwords: their arguments and environment stay here.</summary>
    private static JsonObject Cleaned(JsonObject list)
    {
        foreach (var item in (list["items"] as JsonArray ?? []).OfType<JsonObject>())
        {
            item["metadata"]?.AsObject().Remove("managedFields");
            (item["metadata"]?["annotations"] as JsonObject)?.Remove("kubectl.kubernetes.io/last-applied-configuration");
            foreach (var containers in (string[])["containers", "initContainers", "ephemeralContainers"])
            {
                foreach (var container in (item["spec"]?[containers] as JsonArray ?? []).OfType<JsonObject>())
                {
                    foreach (var field in (string[])["env", "envFrom", "args", "command"])
                    {
                        if (container[field] is not null)
                        {
                            container[field] = Hidden;
                        }
                    }
                }
            }
        }

        return list;
    }

    private static string Blotted(string text) => KeyPattern().Replace(TokenPattern().Replace(text, Hidden), Hidden);

    // A JSON Web Token: three parts in base64url, the first of them an object.
    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")]
    private static partial Regex TokenPattern();

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", RegexOptions.Singleline)]
    private static partial Regex KeyPattern();
}
