using System.Text.Json.Nodes;
using Weft.Lab.Net;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Everything that pods could leave behind on a lab's nodes: flows, ports, links, addresses, leases, namespaces.</summary>
internal static class Leftovers
{
    /// <summary>What is there, one line each, sorted within its kind.</summary>
    public static async Task<string[]> ReadAsync(TestLab lab)
    {
        var found = new List<string>();
        foreach (var node in lab.Cluster.State.Nodes)
        {
            found.AddRange((await lab.FlowsAsync(node)).Select(f => $"{node} flow {f}"));
            found.AddRange((await lab.OvsAsync(node, "ovs-vsctl", "--bare", "--columns=name", "list", "interface"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).Select(i => $"{node} interface {i}"));
            found.AddRange((await TestLab.InAsync(lab.Cluster.Layout.Node(node), "ip", "-o", "link", "show"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => $"{node} link {l.Split(' ')[1]}"));
            found.AddRange((await TestLab.InAsync(lab.Cluster.Layout.Node(node), "ip", "-o", "addr", "show"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => $"{node} address {l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]}")
                .Where(l => !l.Contains("fe80", StringComparison.Ordinal)));
            found.AddRange(await LeasesAsync(lab, node));
        }

        found.AddRange(lab.Cluster.Layout.ExistingNamespaces().Select(n => $"namespace {n.Name}").Order(StringComparer.Ordinal));
        return [.. found];
    }

    /// <summary>The leases that the journal of a node's agent gives and does not release (src/Agent/CniServer/Leases).</summary>
    private static async Task<IEnumerable<string>> LeasesAsync(TestLab lab, string node)
    {
        var held = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(lab.Cluster.Layout.NodeFolder(node), "state"), "*lease*"))
        {
            // The agent keeps the file for itself among .NET programs.
            foreach (var line in (await Shell.RunAsync("cat", [file])).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                // Checksum, space, JSON.
                var record = JsonNode.Parse(line[(line.IndexOf(' ') + 1)..])!;
                if (record["give"] is { } given)
                {
                    held.Add($"{given["containerId"]}/{given["ifName"]}");
                }
                else if (record["release"] is { } released)
                {
                    held.Remove($"{released["containerId"]}/{released["ifName"]}");
                }
            }
        }

        return held.Select(l => $"{node} lease {l}");
    }
}
