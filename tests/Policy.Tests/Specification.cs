using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>The answers by the letter of the specifications, one question at a time, straight from the manifests. Shares nothing with the product.</summary>
public static class Specification
{
    public static bool Allows(IReadOnlyList<JsonObject> policies, Pair pair, Func<string, AddressFamily, string> addressOf) =>
        pair.From == pair.To || (Decide(policies, pair, addressOf, ingress: false).Allowed && Decide(policies, pair, addressOf, ingress: true).Allowed);

    /// <summary>What the policies of one end say, and which of them.</summary>
    public static Deciders Decide(IReadOnlyList<JsonObject> policies, Pair pair, Func<string, AddressFamily, string> addressOf, bool ingress)
    {
        var subject = ingress ? pair.To : pair.From;
        var admin = policies.Where(p => Kind(p) == "AdminNetworkPolicy" || (Kind(p) == "ClusterNetworkPolicy" && (string?)p["spec"]!["tier"] == "Admin")).OrderBy(Priority);
        if (Ordered(admin, pair, subject, addressOf, ingress) is { } decided)
        {
            return decided;
        }

        var isolating = policies.Where(p => Kind(p) == "NetworkPolicy" && Isolates(p, subject, ingress)).ToList();
        if (isolating.Count > 0)
        {
            var (rules, peers) = ingress ? ("ingress", "from") : ("egress", "to");
            var allowing = isolating.Where(p => Items(p["spec"]![rules]).Where(r => IsPossible(r, peers)).Any(r =>
                (Items(r[peers]) is { Count: 0 } || Items(r[peers]).Any(e => PeerMatches(e, (string)p["metadata"]!["namespace"]!, pair, addressOf, ingress)))
                && (Items(r["ports"]) is { Count: 0 } || Items(r["ports"]).Any(e => PortMatches(e, pair))))).ToList();
            return new Deciders(allowing.Count > 0, [.. (allowing.Count > 0 ? allowing : isolating).Select(NameOf)]);
        }

        var baseline = policies.Where(p => Kind(p) == "BaselineAdminNetworkPolicy" || (Kind(p) == "ClusterNetworkPolicy" && (string?)p["spec"]!["tier"] == "Baseline")).OrderBy(Priority);
        return Ordered(baseline, pair, subject, addressOf, ingress) ?? new Deciders(true, []);
    }

    private static Deciders? Ordered(IEnumerable<JsonObject> policies, Pair pair, string subject, Func<string, AddressFamily, string> addressOf, bool ingress)
    {
        foreach (var policy in policies.Where(p => SubjectMatches(p["spec"]!["subject"]!, subject)))
        {
            foreach (var rule in Items(policy["spec"]![ingress ? "ingress" : "egress"]))
            {
                var action = (string)rule["action"]!;
                var peers = Items(rule[ingress ? "from" : "to"]);
                var unknown = peers.Exists(p => !p.AsObject().Any(f => f.Key is "namespaces" or "pods" or "nodes" or "networks" or "domainNames"));
                if (unknown && action is not ("Accept" or "Allow"))
                {
                    return new Deciders(false, [NameOf(policy)]);
                }

                if (!peers.Exists(p => ClusterPeerMatches(p, pair, addressOf, ingress)) || !ClusterPortsMatch(rule, pair))
                {
                    continue;
                }

                return action is "Pass" ? null : new Deciders(action is not "Deny", [NameOf(policy)]);
            }
        }

        return null;
    }

    private static string NameOf(JsonObject policy) => (string?)policy["metadata"]!["namespace"] is { } ns
        ? $"{Kind(policy)}/{ns}/{policy["metadata"]!["name"]}" : $"{Kind(policy)}/{policy["metadata"]!["name"]}";

    private static string Kind(JsonObject policy) => (string)policy["kind"]!;

    private static int Priority(JsonObject policy) => (int?)policy["spec"]!["priority"] ?? 1001;

    private static List<JsonNode> Items(JsonNode? list) => list is JsonArray all ? [.. all.Select(i => i!)] : [];

    private static bool Isolates(JsonObject policy, string pod, bool ingress)
    {
        var spec = policy["spec"]!;
        var types = Items(spec["policyTypes"]).Select(t => (string)t!).ToList();
        var applies = types.Count > 0 ? types.Contains(ingress ? "Ingress" : "Egress") : ingress || Items(spec["egress"]).Count > 0;
        return applies && (string)policy["metadata"]!["namespace"]! == pod[..1] && Selects(spec["podSelector"], Cluster.PodLabels(pod));
    }

    private static bool PeerMatches(JsonNode peer, string ns, Pair pair, Func<string, AddressFamily, string> addressOf, bool ingress)
    {
        var other = ingress ? pair.From : pair.To;
        if (peer["ipBlock"] is { } block)
        {
            var address = IPAddress.Parse(addressOf(other, pair.Family));
            return Contains((string)block["cidr"]!, address) && !Items(block["except"]).Exists(e => Contains((string)e!, address));
        }

        return (peer["namespaceSelector"] is { } namespaces ? SelectsNamespace(namespaces, other) : other[..1] == ns) && Selects(peer["podSelector"], Cluster.PodLabels(other));
    }

    private static bool PortMatches(JsonNode port, Pair pair)
    {
        var (number, protocol) = Split(pair.Port);
        if (((string?)port["protocol"] ?? "TCP") != protocol)
        {
            return false;
        }

        if (port["port"] is not JsonValue value)
        {
            return true;
        }

        return value.TryGetValue<string>(out var name)
            ? Cluster.NamedPorts(pair.To).GetValueOrDefault(name) == pair.Port
            : number >= (int)value && number <= ((int?)port["endPort"] ?? (int)value);
    }

    /// <summary>A rule that cannot be allows nothing: one impossible entry is enough.</summary>
    private static bool IsPossible(JsonNode rule, string peers) =>
        Items(rule["ports"]).TrueForAll(p => ((string?)p["protocol"] ?? "TCP") is "TCP" or "UDP" or "SCTP"
            && (p["endPort"] is null || (p["port"] is JsonValue first && first.TryGetValue<int>(out var number) && (int)p["endPort"]! >= number)))
        && Items(rule[peers]).TrueForAll(p => p["ipBlock"] is not { } block
            || Items(block["except"]).Append(block["cidr"]!).All(c => IPNetwork.TryParse((string)c!, out _)));

    private static bool SubjectMatches(JsonNode subject, string pod) => subject["namespaces"] is { } namespaces
        ? SelectsNamespace(namespaces, pod)
        : SelectsNamespace(subject["pods"]!["namespaceSelector"], pod) && Selects(subject["pods"]!["podSelector"], Cluster.PodLabels(pod));

    private static bool ClusterPeerMatches(JsonNode peer, Pair pair, Func<string, AddressFamily, string> addressOf, bool ingress)
    {
        var other = ingress ? pair.From : pair.To;
        if (peer["namespaces"] is not null || peer["pods"] is not null)
        {
            return SubjectMatches(peer, other);
        }

        return Items(peer["networks"]).Exists(n => Contains((string)n!, IPAddress.Parse(addressOf(other, pair.Family))));
    }

    private static bool ClusterPortsMatch(JsonNode rule, Pair pair)
    {
        var (number, protocol) = Split(pair.Port);
        bool Named(JsonNode? name) => name is not null && Cluster.NamedPorts(pair.To).GetValueOrDefault((string)name!) == pair.Port;
        if (rule["protocols"] is JsonArray protocols)
        {
            return protocols.Any(p => Named(p!["destinationNamedPort"]) || (p[protocol.ToLowerInvariant()] is { } d && (d["destinationPort"] is not { } at
                || (int?)at["number"] == number || (at["range"] is { } range && number >= (int)range["start"]! && number <= (int)range["end"]!))));
        }

        return rule["ports"] is not JsonArray ports || ports.Any(p => Named(p!["namedPort"])
            || (p["portNumber"] is { } one && (string?)one["protocol"] == protocol && (int?)one["port"] == number)
            || (p["portRange"] is { } many && (string?)many["protocol"] == protocol && number >= (int)many["start"]! && number <= (int)many["end"]!));
    }

    private static (int, string) Split(string port) => (int.Parse(port.Split('/')[0], null), port.Split('/')[1]);

    private static bool Contains(string cidr, IPAddress address)
    {
        // Bit by bit: host bits of the range do not count.
        var (range, bits) = (IPAddress.Parse(cidr.Split('/')[0]).GetAddressBytes(), int.Parse(cidr.Split('/')[1], null));
        var given = address.GetAddressBytes();
        return range.Length == given.Length && Enumerable.Range(0, bits).All(b => ((range[b / 8] ^ given[b / 8]) >> (7 - (b % 8)) & 1) == 0);
    }

    private static bool SelectsNamespace(JsonNode? selector, string pod)
    {
        var labels = Cluster.LabelsOf(pod[..1]);
        labels["kubernetes.io/metadata.name"] = pod[..1];
        return Selects(selector, labels);
    }

    private static bool Selects(JsonNode? selector, JsonObject labels)
    {
        foreach (var (key, value) in selector?["matchLabels"]?.AsObject() ?? [])
        {
            if ((string?)labels[key] != (string?)value)
            {
                return false;
            }
        }

        return Items(selector?["matchExpressions"]).TrueForAll(e =>
        {
            var value = (string?)labels[(string)e["key"]!];
            var listed = value is not null && Items(e["values"]).Exists(v => (string)v! == value);
            return (string)e["operator"]! switch { "In" => listed, "NotIn" => !listed, "Exists" => value is not null, _ => value is null };
        });
    }
}
