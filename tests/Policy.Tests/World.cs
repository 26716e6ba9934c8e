using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>A small cluster by chance: namespaces, nodes, pods of every kind, and policies of every kind, as manifests.</summary>
internal sealed class World
{
    private static readonly string[] Names = ["http", "dns", "metrics"];
    private static readonly string[] Protocols = ["TCP", "UDP", "SCTP"];
    private readonly Random _random;
    private int _number;

    public World(int seed)
    {
        _random = new Random(seed);
        string[] spaces = [.. new[] { "alpha", "beta", "gamma" }.Take(1 + _random.Next(3))];
        foreach (var name in spaces.Where(_ => _random.Next(6) > 0))
        {
            Objects.Add(Object("v1", "Namespace", name, null, Labels()));
        }

        for (var i = _random.Next(3); i > 0; i--)
        {
            var node = Object("v1", "Node", $"n{i}", null, Labels());
            node["status"] = Json($$"""{"addresses":[{"type":"InternalIP","address":"192.168.0.{{i}}"},{"type":"InternalIP","address":"fd00:192::{{i}}"}]}""");
            Objects.Add(node);
        }

        for (var i = 3 + _random.Next(5); i > 0; i--)
        {
            Objects.Add(Pod($"p{i}", One(spaces), i));
        }

        for (var i = 1 + _random.Next(5); i > 0; i--)
        {
            var kind = _random.Next(7);
            Objects.Add(kind < 4 ? NetworkPolicy(One(spaces)) : kind < 6 ? ClusterPolicy() : AdminPolicy(isBaseline: !Objects.Exists(o => (string)o["kind"]! == "BaselineAdminNetworkPolicy") && _random.Next(2) == 0));
        }
    }

    public List<JsonObject> Objects { get; } = [];

    public string Text => string.Join("\n---\n", Objects.Select(o => o.ToJsonString()));

    private JsonObject Pod(string name, string ns, int number)
    {
        var pod = Object("v1", "Pod", name, ns, Labels());
        var spec = new JsonObject { ["containers"] = new JsonArray([.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => (JsonNode)Container())]) };
        if (_random.Next(4) == 0)
        {
            var init = Container();
            Maybe(2, () => init["restartPolicy"] = "Always");
            spec["initContainers"] = new JsonArray(init);
        }

        Maybe(2, () => spec["nodeName"] = $"n{1 + _random.Next(3)}");
        Maybe(8, () => spec["hostNetwork"] = true);
        pod["spec"] = spec;
        var status = new JsonObject();
        Maybe(2, () => status["phase"] = One("Running", "Pending", "Succeeded", "Failed"));

        // What has ended may have the address of a running pod.
        var address = status["phase"] is { } phase && (string)phase! is "Succeeded" or "Failed" ? 1 + _random.Next(6) : number;
        string[] both = [$"10.1.{address % 2}.{address}", $"fd00:1:{address % 2}::{address}"];
        string[] addresses = _random.Next(6) switch { 0 => [both[0]], 1 => [both[1]], 2 => [both[1], both[0]], 3 => [], _ => both };
        if (addresses.Length > 0)
        {
            status["podIPs"] = new JsonArray([.. addresses.Select(a => (JsonNode)new JsonObject { ["ip"] = a })]);
        }

        pod["status"] = status;
        return pod;
    }

    private JsonObject Container()
    {
        var container = new JsonObject { ["name"] = $"c{_number++}", ["image"] = "none" };
        container["ports"] = Some(4, () =>
        {
            var port = new JsonObject { ["containerPort"] = One(80, 8080, 53) };
            Maybe(3, () => port["name"] = One(Names), otherwise: true);
            Maybe(2, () => port["protocol"] = One(Protocols));
            return port;
        });
        return container;
    }

    private JsonObject NetworkPolicy(string ns)
    {
        var spec = new JsonObject { ["podSelector"] = Selector() };
        string[]? types = _random.Next(4) switch { 0 => ["Ingress"], 1 => ["Egress"], 2 => ["Ingress", "Egress"], _ => null };
        if (types is not null)
        {
            spec["policyTypes"] = new JsonArray([.. types.Select(t => (JsonNode)t)]);
        }

        foreach (var (field, peers) in new[] { ("ingress", "from"), ("egress", "to") })
        {
            // Rules of a direction that the types do not have mean nothing.
            if (_random.Next(3) > 0)
            {
                spec[field] = Some(4, () =>
                {
                    var rule = new JsonObject();
                    Maybe(3, () => rule[peers] = Some(4, Peer), otherwise: true);
                    Maybe(3, () => rule["ports"] = Some(4, Port), otherwise: true);
                    return rule;
                });
            }
        }

        return With(Object("networking.k8s.io/v1", "NetworkPolicy", $"np{_number++}", ns, null), spec);
    }

    private JsonObject Peer() => _random.Next(5) switch
    {
        0 => new JsonObject { ["podSelector"] = Selector() },
        1 => new JsonObject { ["namespaceSelector"] = Selector() },
        2 => new JsonObject { ["namespaceSelector"] = Selector(), ["podSelector"] = Selector() },
        _ => new JsonObject { ["ipBlock"] = Block() },
    };

    private JsonObject Block()
    {
        var v6 = _random.Next(3) == 0;
        var block = new JsonObject { ["cidr"] = v6 ? One("::/0", "fd00:1::/32", "fd00:1:1::/48") : One("0.0.0.0/0", "10.1.0.0/16", "10.1.1.0/24", "10.1.0.2/31", "192.168.0.0/24") };
        Maybe(2, () => block["except"] = v6 ? new JsonArray("fd00:1:0::2/127", "fd00:1:1::/48") : new JsonArray(One("10.1.0.0/24", "10.1.1.3/32"), One("10.1.0.4/30", "192.168.0.1/32")));
        return block;
    }

    private JsonObject Port()
    {
        var port = new JsonObject();
        Maybe(2, () => port["protocol"] = One(Protocols));
        switch (_random.Next(5))
        {
            case 0:
                break;
            case 1:
            case 2:
                port["port"] = One(Names);
                break;
            case 3:
                port["port"] = One(80, 8080, 53);
                break;
            default:
                port["port"] = One(1, 53, 79);
                port["endPort"] = One(80, 81, 65535);
                break;
        }

        return port;
    }

    private JsonObject ClusterPolicy()
    {
        var spec = new JsonObject { ["tier"] = One("Admin", "Baseline"), ["priority"] = (13 * _number) % 1000, ["subject"] = Pods() };
        foreach (var (field, peers) in new[] { ("ingress", "from"), ("egress", "to") })
        {
            spec[field] = Some(4, () =>
            {
                var entries = new JsonArray([.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => (JsonNode)ClusterPeer(field == "egress"))]);
                var rule = new JsonObject { ["action"] = One("Accept", "Deny", "Pass"), [peers] = entries };
                var named = entries.All(e => e!["networks"] is null && e["nodes"] is null);
                if (_random.Next(2) == 0)
                {
                    rule["protocols"] = new JsonArray([.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => (JsonNode)Protocol(named))]);
                }

                return rule;
            });
        }

        return With(Object("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", $"cp{_number++}", null, null), spec);
    }

    private JsonObject Protocol(bool named) => named && _random.Next(3) == 0
        ? new JsonObject { ["destinationNamedPort"] = One(Names) }
        : new JsonObject
        {
            [One("tcp", "udp", "sctp")] = _random.Next(3) switch
            {
                0 => new JsonObject(),
                1 => new JsonObject { ["destinationPort"] = new JsonObject { ["number"] = One(80, 8080, 53) } },
                _ => new JsonObject { ["destinationPort"] = new JsonObject { ["range"] = new JsonObject { ["start"] = One(1, 53), ["end"] = One(80, 9000) } } },
            },
        };

    private JsonObject AdminPolicy(bool isBaseline)
    {
        var spec = new JsonObject { ["subject"] = Pods() };
        if (!isBaseline)
        {
            spec["priority"] = ((13 * _number) + 5) % 1000;
        }

        foreach (var (field, peers) in new[] { ("ingress", "from"), ("egress", "to") })
        {
            // More than v1alpha2 allows, now and then.
            spec[field] = Some(_random.Next(4) == 0 ? 40 : 4, () =>
            {
                var peer = ClusterPeer(field == "egress");
                var rule = new JsonObject { ["action"] = isBaseline ? One("Allow", "Deny") : One("Allow", "Deny", "Pass"), [peers] = new JsonArray(peer) };
                var named = peer["networks"] is null && peer["nodes"] is null;
                if (_random.Next(3) > 0)
                {
                    rule["ports"] = new JsonArray([.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => (JsonNode)(_random.Next(named ? 3 : 2) switch
                    {
                        0 => new JsonObject { ["portNumber"] = new JsonObject { ["protocol"] = One(Protocols), ["port"] = One(80, 8080, 53) } },
                        1 => new JsonObject { ["portRange"] = new JsonObject { ["protocol"] = One(Protocols), ["start"] = One(1, 53), ["end"] = One(80, 9000) } },
                        _ => new JsonObject { ["namedPort"] = One(Names) },
                    }))]);
                }

                return rule;
            });
        }

        return With(Object("policy.networking.k8s.io/v1alpha1", isBaseline ? "BaselineAdminNetworkPolicy" : "AdminNetworkPolicy", isBaseline ? "default" : $"ap{_number++}", null, null), spec);
    }

    private JsonObject ClusterPeer(bool egress) => _random.Next(egress ? 4 : 2) switch
    {
        2 => new JsonObject { ["networks"] = new JsonArray(One("10.1.1.0/24", "0.0.0.0/0", "192.168.0.0/24"), One("::/0", "fd00:1:1::/48", "10.1.0.2/32")) },
        3 => new JsonObject { ["nodes"] = Selector() },
        _ => Pods(),
    };

    private JsonObject Pods() => _random.Next(2) == 0
        ? new JsonObject { ["namespaces"] = Selector() }
        : new JsonObject { ["pods"] = new JsonObject { ["namespaceSelector"] = Selector(), ["podSelector"] = Selector() } };

    private JsonObject Selector()
    {
        var selector = new JsonObject();
        if (_random.Next(3) == 0)
        {
            return selector;
        }

        Maybe(3, () => selector["matchLabels"] = new JsonObject { [One("app", "env", "kubernetes.io/metadata.name")] = One("a", "b", "alpha") });
        Maybe(3, () => selector["matchExpressions"] = Some(3, () =>
        {
            var op = One("In", "NotIn", "Exists", "DoesNotExist");
            var expression = new JsonObject { ["key"] = One("app", "env", "kubernetes.io/metadata.name"), ["operator"] = op };
            if (op is "In" or "NotIn")
            {
                expression["values"] = _random.Next(2) == 0 ? new JsonArray(One("a", "b", "beta")) : new JsonArray("a", One("alpha", "gamma"));
            }

            return expression;
        }));
        return selector;
    }

    private JsonObject? Labels()
    {
        var labels = new JsonObject();
        Maybe(2, () => labels["app"] = One("a", "b", "c"));
        Maybe(2, () => labels["env"] = One("a", "b", ""));
        return labels.Count > 0 ? labels : null;
    }

    private static JsonObject Object(string version, string kind, string name, string? ns, JsonObject? labels)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns is not null)
        {
            metadata["namespace"] = ns;
        }

        if (labels is not null)
        {
            metadata["labels"] = labels;
        }

        return new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = metadata };
    }

    private static JsonObject With(JsonObject owner, JsonObject spec)
    {
        owner["spec"] = spec;
        return owner;
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private void Maybe(int one, Action then, bool otherwise = false)
    {
        if ((_random.Next(one + 1) == 0) != otherwise)
        {
            then();
        }
    }

    private JsonArray Some(int most, Func<JsonObject> make) => new([.. Enumerable.Range(0, _random.Next(most)).Select(_ => (JsonNode)make())]);

    private T One<T>(params T[] all) => all[_random.Next(all.Length)];
}
