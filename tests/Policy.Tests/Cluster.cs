using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>The pods of every case: a, b, c in namespaces x, y, z on nodes 1, 2, 3.</summary>
public static class Cluster
{
    public static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    public static readonly string[] Ports = ["80/TCP", "81/TCP", "53/UDP", "80/SCTP"];

    public static readonly string[] Pods = [.. from ns in "xyz" from pod in "abc" select $"{ns}/{pod}"];

    public static IEnumerable<Pair> Pairs =>
        from family in Families from port in Ports from source in Pods from target in Pods select new Pair(source, target, port, family);

    public static string AddressOf(string pod, AddressFamily family)
    {
        var (ns, number) = (pod[0] - 'x' + 1, pod[2] - 'a' + 1);
        return family == AddressFamily.InterNetwork ? $"10.10.{ns}.{number}" : $"fd00:10:10:{ns}::{number}";
    }

    public static string NodeOf(string pod) => $"node{pod[2] - 'a' + 1}";

    public static JsonObject LabelsOf(string ns) => ns switch
    {
        "z" => new JsonObject { ["ns"] = ns, ["env"] = "test", ["special"] = "yes" },
        _ => new JsonObject { ["ns"] = ns, ["env"] = "prod" },
    };

    public static JsonObject PodLabels(string pod)
    {
        var labels = new JsonObject { ["pod"] = pod[2..], ["tier"] = pod[2] == 'a' ? "front" : "back" };
        if (pod[2] == 'a')
        {
            labels["first"] = "";
        }

        return labels;
    }

    /// <summary>Named ports: web, alt, dns.</summary>
    public static IReadOnlyDictionary<string, string> NamedPorts(string pod) => new Dictionary<string, string>
    {
        ["web"] = pod[2] == 'c' ? "81/TCP" : "80/TCP",
        ["alt"] = pod[2] == 'c' ? "80/TCP" : "81/TCP",
        ["dns"] = "53/UDP",
    };

    /// <summary>Namespaces and pods as manifests.</summary>
    public static IEnumerable<JsonObject> Manifests()
    {
        foreach (var ns in "xyz")
        {
            yield return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = $"{ns}", ["labels"] = LabelsOf($"{ns}") } };
        }

        foreach (var pod in Pods)
        {
            yield return PodOf(pod);
        }
    }

    /// <summary>A pod without status, for a real API server.</summary>
    public static JsonObject PodOf(string pod, bool withStatus = true)
    {
        var ports = NamedPorts(pod).Select(p => (JsonNode)new JsonObject
        {
            ["name"] = p.Key, ["containerPort"] = int.Parse(p.Value.Split('/')[0], null), ["protocol"] = p.Value.Split('/')[1],
        });
        var tree = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = pod[2..], ["namespace"] = pod[..1], ["labels"] = PodLabels(pod) },
            ["spec"] = new JsonObject
            {
                ["nodeName"] = NodeOf(pod),
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "none", ["ports"] = new JsonArray([.. ports]) }),
            },
        };
        if (withStatus)
        {
            tree["status"] = new JsonObject { ["podIPs"] = new JsonArray([.. Families.Select(f => (JsonNode)new JsonObject { ["ip"] = AddressOf(pod, f) })]) };
        }

        return tree;
    }
}
