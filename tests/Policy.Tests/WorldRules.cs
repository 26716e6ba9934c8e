using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>A pod that runs, as the rules see it.</summary>
/// <param name="Id"><c>namespace/name</c>.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Node">Its node.</param>
/// <param name="OnHost">It has its node's addresses.</param>
/// <param name="Addresses">Its addresses in order.</param>
internal sealed record WorldPod(string Id, JsonObject Manifest, string Node, bool OnHost, IReadOnlyList<IPAddress> Addresses);

/// <summary>Who reaches whom in a <see cref="World"/>, one pair and one rule at a time, by the text of the APIs. Shares nothing with the product.</summary>
internal sealed class WorldRules(IReadOnlyList<JsonObject> objects)
{
    public bool Allows(WorldPod from, WorldPod to, int port, string protocol)
    {
        if (from == to || (from.OnHost && to.OnHost))
        {
            return from.Node == to.Node || from.OnHost;
        }

        if (to.Addresses.FirstOrDefault(t => from.Addresses.Any(f => f.AddressFamily == t.AddressFamily)) is not { } target)
        {
            return false;
        }

        var source = from.Addresses.First(f => f.AddressFamily == target.AddressFamily);
        var egress = from.OnHost || Side(from, to, target, egress: true, to, port, protocol);

        // A node always reaches its own pods.
        var ingress = to.OnHost || (from.OnHost && from.Node == to.Node) || Side(to, from, source, egress: false, to, port, protocol);
        return egress && ingress;
    }

    private bool Side(WorldPod subject, WorldPod peer, IPAddress address, bool egress, WorldPod server, int port, string protocol)
    {
        foreach (var tier in new[] { "Admin", "Namespace", "Baseline" })
        {
            var verdict = tier == "Namespace" ? Namespaced(subject, peer, address, egress, server, port, protocol) : Ordered(tier, subject, peer, address, egress, server, port, protocol);
            if (verdict is { } decided)
            {
                return decided;
            }
        }

        return true;
    }

    private bool? Ordered(string tier, WorldPod subject, WorldPod peer, IPAddress address, bool egress, WorldPod server, int port, string protocol)
    {
        var policies = objects.Where(o => (Text(o, "kind"), Text(o["spec"], "tier")) switch
        {
            ("AdminNetworkPolicy", _) => tier == "Admin",
            ("BaselineAdminNetworkPolicy", _) => tier == "Baseline",
            ("ClusterNetworkPolicy", var own) => own == tier,
            _ => false,
        }).OrderBy(o => (int?)o["spec"]!["priority"] ?? 1001);
        foreach (var policy in policies.Where(p => IsPod(p["spec"]!["subject"]!, subject)))
        {
            foreach (var rule in List(policy["spec"]![egress ? "egress" : "ingress"]))
            {
                if (List(rule[egress ? "to" : "from"]).Exists(p => ClusterPeer(p, peer, address)) && ClusterPorts(rule, server, port, protocol))
                {
                    return Text(rule, "action") switch { "Pass" => null, "Deny" => false, _ => true };
                }
            }
        }

        return null;
    }

    private bool? Namespaced(WorldPod subject, WorldPod peer, IPAddress address, bool egress, WorldPod server, int port, string protocol)
    {
        bool? verdict = null;
        foreach (var policy in objects.Where(o => Text(o, "kind") == "NetworkPolicy" && Text(o["metadata"], "namespace") == NamespaceOf(subject)))
        {
            var spec = policy["spec"]!;
            var types = spec["policyTypes"] is JsonArray given ? [.. given.Select(t => (string)t!)]
                : List(spec["egress"]).Count > 0 ? new[] { "Ingress", "Egress" } : ["Ingress"];
            if (!types.Contains(egress ? "Egress" : "Ingress") || !Selects(spec["podSelector"], LabelsOf(subject)))
            {
                continue;
            }

            verdict ??= false;
            foreach (var rule in List(spec[egress ? "egress" : "ingress"]))
            {
                var peers = List(rule[egress ? "to" : "from"]);
                var ports = List(rule["ports"]);
                verdict |= (peers.Count == 0 || peers.Exists(p => Peer(p, policy, peer, address))) && (ports.Count == 0 || ports.Exists(p => Port(p, server, port, protocol)));
            }
        }

        return verdict;
    }

    private bool Peer(JsonNode entry, JsonObject policy, WorldPod pod, IPAddress address)
    {
        if (entry["ipBlock"] is { } block)
        {
            return In(Text(block, "cidr")!, address) && !List(block["except"]).Exists(e => In((string)e!, address));
        }

        return !pod.OnHost
            && (entry["namespaceSelector"] is { } spaces ? Selects(spaces, LabelsOfNamespace(NamespaceOf(pod))) : NamespaceOf(pod) == Text(policy["metadata"], "namespace"))
            && Selects(entry["podSelector"], LabelsOf(pod));
    }

    private bool ClusterPeer(JsonNode entry, WorldPod pod, IPAddress address) =>
        entry["networks"] is JsonArray networks ? networks.Any(n => In((string)n!, address))
        : entry["nodes"] is { } nodes ? pod.OnHost && Selects(nodes,
            objects.FirstOrDefault(o => Text(o, "kind") == "Node" && Text(o["metadata"], "name") == pod.Node)?["metadata"]!["labels"])
        : IsPod(entry, pod);

    private bool IsPod(JsonNode entry, WorldPod pod) => !pod.OnHost && (entry["namespaces"] is { } spaces
        ? Selects(spaces, LabelsOfNamespace(NamespaceOf(pod)))
        : Selects(entry["pods"]!["namespaceSelector"], LabelsOfNamespace(NamespaceOf(pod))) && Selects(entry["pods"]!["podSelector"], LabelsOf(pod)));

    private static bool Port(JsonNode entry, WorldPod server, int port, string protocol)
    {
        if ((Text(entry, "protocol") ?? "TCP") != protocol)
        {
            return false;
        }

        return entry["port"] switch
        {
            null => true,
            JsonValue value when value.TryGetValue<string>(out var name) => Named(server, name, protocol) == port,
            var first => port >= (int)first && port <= ((int?)entry["endPort"] ?? (int)first),
        };
    }

    private static bool ClusterPorts(JsonNode rule, WorldPod server, int port, string protocol)
    {
        var (protocols, ports) = (List(rule["protocols"]), List(rule["ports"]));
        return (protocols.Count == 0 && ports.Count == 0)
            || protocols.Exists(p => p["destinationNamedPort"] is { } name
                ? Named(server, (string)name!, protocol) == port
                : p[protocol.ToLowerInvariant()] is { } d && (d["destinationPort"] is not { } at || (at["range"] is { } r ? port >= (int)r["start"]! && port <= (int)r["end"]! : port == (int)at["number"]!)))
            || ports.Exists(p => p["namedPort"] is { } name ? Named(server, (string)name!, protocol) == port
                : p["portNumber"] is { } one ? Text(one, "protocol") == protocol && (int)one["port"]! == port
                : Text(p["portRange"], "protocol") == protocol && port >= (int)p["portRange"]!["start"]! && port <= (int)p["portRange"]!["end"]!);
    }

    /// <summary>The number of the first port of that name and protocol among what runs as long as the pod does.</summary>
    private static int? Named(WorldPod pod, string name, string protocol) => pod.OnHost ? null : (int?)List(pod.Manifest["spec"]!["containers"])
        .Concat(List(pod.Manifest["spec"]!["initContainers"]).Where(c => Text(c, "restartPolicy") == "Always"))
        .SelectMany(c => List(c["ports"])).FirstOrDefault(p => Text(p, "name") == name && (Text(p, "protocol") ?? "TCP") == protocol)?["containerPort"];

    private static string NamespaceOf(WorldPod pod) => pod.Id.Split('/')[0];

    private static JsonNode? LabelsOf(WorldPod pod) => pod.Manifest["metadata"]!["labels"];

    private JsonObject LabelsOfNamespace(string name)
    {
        var labels = objects.FirstOrDefault(o => Text(o, "kind") == "Namespace" && Text(o["metadata"], "name") == name)?["metadata"]!["labels"]?.DeepClone().AsObject() ?? [];
        labels["kubernetes.io/metadata.name"] = name;
        return labels;
    }

    private static bool Selects(JsonNode? selector, JsonNode? labels)
    {
        foreach (var (key, value) in selector?["matchLabels"]?.AsObject() ?? [])
        {
            if (Text(labels, key) != (string?)value)
            {
                return false;
            }
        }

        return List(selector?["matchExpressions"]).TrueForAll(e =>
        {
            var value = Text(labels, Text(e, "key")!);
            var isListed = value is not null && List(e["values"]).Exists(v => (string)v! == value);
            return Text(e, "operator") switch { "In" => isListed, "NotIn" => !isListed, "Exists" => value is not null, _ => value is null };
        });
    }

    private static bool In(string cidr, IPAddress address)
    {
        var (range, bits) = (IPAddress.Parse(cidr.Split('/')[0]).GetAddressBytes(), int.Parse(cidr.Split('/')[1], null));
        var given = address.GetAddressBytes();
        return range.Length == given.Length && Enumerable.Range(0, bits).All(b => (((range[b / 8] ^ given[b / 8]) >> (7 - (b % 8))) & 1) == 0);
    }

    private static string? Text(JsonNode? owner, string field) => (string?)owner?[field];

    private static List<JsonNode> List(JsonNode? list) => list is JsonArray all ? [.. all.Select(i => i!)] : [];
}
