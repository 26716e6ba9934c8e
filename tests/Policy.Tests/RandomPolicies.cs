using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>Policies of every kind, by chance, that the specification decides without doubt: cluster-wide priorities differ.</summary>
internal sealed class RandomPolicies(int seed)
{
    private readonly Random _random = new(seed);
    private int _number;

    public IEnumerable<JsonObject> Take(int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return _random.Next(3) > 0 ? Namespaced() : ClusterWide();
        }
    }

    private JsonObject Namespaced()
    {
        var types = One<string[]>(["Ingress"], ["Egress"], ["Ingress", "Egress"]);
        var spec = new JsonObject { ["podSelector"] = PodSelector(), ["policyTypes"] = new JsonArray([.. types.Select(t => JsonValue.Create(t))]) };
        foreach (var type in types)
        {
            var ingress = type == "Ingress";
            spec[ingress ? "ingress" : "egress"] = Some(3, () =>
            {
                var rule = new JsonObject();
                Add(rule, ingress ? "from" : "to", Some(3, Peer));
                Add(rule, "ports", Some(3, Port));
                return rule;
            });
        }

        return Policy("networking.k8s.io/v1", "NetworkPolicy", spec, $"{One('x', 'y', 'z')}");
    }

    private JsonObject ClusterWide()
    {
        var spec = new JsonObject { ["tier"] = One("Admin", "Baseline"), ["priority"] = _number * 7, ["subject"] = ClusterPeer(egress: false) };
        foreach (var (field, peers) in new[] { ("ingress", "from"), ("egress", "to") })
        {
            spec[field] = Some(3, () =>
            {
                var rule = new JsonObject { ["action"] = One("Accept", "Deny", "Pass"), [peers] = new JsonArray(ClusterPeer(field == "egress"), ClusterPeer(field == "egress")) };

                // Named ports and networks do not go together: networks have no named ports.
                var networks = rule[peers]!.AsArray().Any(p => p!["networks"] is not null);
                Add(rule, "protocols", Some(3, () => Protocol(named: !networks)));
                return rule;
            });
        }

        return Policy("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", spec, null);
    }

    private JsonObject Policy(string version, string kind, JsonObject spec, string? ns)
    {
        var metadata = new JsonObject { ["name"] = $"p{_number++}" };
        if (ns is not null)
        {
            metadata["namespace"] = ns;
        }

        return new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = metadata, ["spec"] = spec };
    }

    private JsonObject Peer() => _random.Next(4) switch
    {
        0 => new JsonObject { ["podSelector"] = PodSelector() },
        1 => new JsonObject { ["namespaceSelector"] = NamespaceSelector() },
        2 => new JsonObject { ["namespaceSelector"] = NamespaceSelector(), ["podSelector"] = PodSelector() },
        _ => new JsonObject { ["ipBlock"] = IpBlock() },
    };

    private JsonObject IpBlock()
    {
        var block = new JsonObject { ["cidr"] = One("10.10.0.0/16", "10.10.1.0/24", "0.0.0.0/0", "::/0", "fd00:10:10:2::/64", "10.10.3.2/31") };
        if ((string)block["cidr"]! == "10.10.0.0/16")
        {
            block["except"] = new JsonArray(One("10.10.2.0/24", "10.10.1.2/32", "10.10.0.0/22"));
        }

        return block;
    }

    private JsonObject ClusterPeer(bool egress) => _random.Next(egress ? 3 : 2) switch
    {
        0 => new JsonObject { ["namespaces"] = NamespaceSelector() },
        1 => new JsonObject { ["pods"] = new JsonObject { ["namespaceSelector"] = NamespaceSelector(), ["podSelector"] = PodSelector() } },
        _ => new JsonObject { ["networks"] = new JsonArray(One("10.10.1.0/24", "10.10.2.2/32", "fd00:10:10::/48", "0.0.0.0/0")) },
    };

    private JsonObject Port()
    {
        var protocol = One("TCP", "UDP", "SCTP");
        return _random.Next(4) switch
        {
            0 => new JsonObject { ["protocol"] = protocol },
            1 => new JsonObject { ["protocol"] = protocol, ["port"] = One(53, 80, 81) },
            2 => new JsonObject { ["protocol"] = protocol, ["port"] = One("web", "alt", "dns") },
            _ => new JsonObject { ["protocol"] = protocol, ["port"] = One(1, 50, 80), ["endPort"] = One(80, 81, 1000) },
        };
    }

    private JsonObject Protocol(bool named)
    {
        JsonObject Destination() => _random.Next(3) switch
        {
            0 => [],
            1 => new JsonObject { ["destinationPort"] = new JsonObject { ["number"] = One(53, 80, 81) } },
            _ => new JsonObject { ["destinationPort"] = new JsonObject { ["range"] = new JsonObject { ["start"] = One(1, 53, 80), ["end"] = One(81, 90) } } },
        };
        return named && _random.Next(4) == 0
            ? new JsonObject { ["destinationNamedPort"] = One("web", "alt", "dns") }
            : new JsonObject { [One("tcp", "udp", "sctp")] = Destination() };
    }

    private JsonObject PodSelector() => One<Func<JsonObject>>(
        () => [],
        () => Labels("pod", One("a", "b", "c")),
        () => Labels("tier", One("front", "back")),
        () => Expression("pod", One("In", "NotIn"), "a", One("b", "c")),
        () => Expression("first", One("Exists", "DoesNotExist")))();

    private JsonObject NamespaceSelector() => One<Func<JsonObject>>(
        () => [],
        () => Labels("ns", One("x", "y", "z")),
        () => Labels("env", One("prod", "test")),
        () => Expression("ns", One("In", "NotIn"), "x", One("y", "z")),
        () => Expression("special", One("Exists", "DoesNotExist")))();

    private static JsonObject Labels(string key, string value) => new() { ["matchLabels"] = new JsonObject { [key] = value } };

    private static JsonObject Expression(string key, string op, params string[] values)
    {
        var expression = new JsonObject { ["key"] = key, ["operator"] = op };
        Add(expression, "values", new JsonArray([.. values.Select(v => JsonValue.Create(v))]));
        return new JsonObject { ["matchExpressions"] = new JsonArray(expression) };
    }

    private static void Add(JsonObject owner, string field, JsonArray list)
    {
        if (list.Count > 0)
        {
            owner[field] = list;
        }
    }

    private JsonArray Some(int most, Func<JsonObject> make) => new([.. Enumerable.Range(0, _random.Next(most)).Select(_ => (JsonNode)make())]);

    private T One<T>(params T[] all) => all[_random.Next(all.Length)];
}
