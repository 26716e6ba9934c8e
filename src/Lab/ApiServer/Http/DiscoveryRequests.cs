using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>/api, /apis and below, /version: what is served, in the classic and the aggregated form.</summary>
public sealed class DiscoveryRequests(ResourceRegistry registry, AggregatedApis aggregated)
{
    private static readonly string[] ReadWrite = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    /// <summary>Answers if the path is one of discovery.</summary>
    public async Task<bool> TryAnswerAsync(ApiRequest request)
    {
        var parts = (request.Http.Request.Path.Value ?? "/").Trim('/').Split('/');
        switch (parts)
        {
            case ["api"] or ["apis"] when AggregatedVersion(request) is { } version:
                await Responses.WriteAsync(request.Http, 200, Aggregated(parts[0] == "api", version),
                    $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
                return true;
            case ["api"]:
                await Responses.WriteAsync(request.Http, 200, new JsonObject
                {
                    ["kind"] = "APIVersions",
                    ["versions"] = new JsonArray("v1"),
                    ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject
                    {
                        ["clientCIDR"] = "0.0.0.0/0",
                        ["serverAddress"] = request.Http.Request.Host.Value,
                    }),
                });
                return true;
            case ["apis"]:
                await Responses.WriteAsync(request.Http, 200, new JsonObject
                {
                    ["kind"] = "APIGroupList",
                    ["apiVersion"] = "v1",
                    ["groups"] = Groups().Select(g => (JsonNode?)Group(g)).ToJson(),
                });
                return true;
            case ["apis", var group]:
                await Responses.WriteAsync(request.Http, 200, Groups().Any(g => g.Name == group)
                    ? Described(Group(Groups().First(g => g.Name == group)), "APIGroup") : throw ApiException.NoSuchPath());
                return true;
            case ["api", var version]:
                await Responses.WriteAsync(request.Http, 200, Resources("", version));
                return true;
            case ["apis", var group, var version]:
                await Responses.WriteAsync(request.Http, 200, Resources(group, version));
                return true;
            case ["version"]:
                await Responses.WriteAsync(request.Http, 200, Version());
                return true;
            default:
                return false;
        }
    }

    private static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "32",
        ["gitVersion"] = "v1.32.0+weft-lab",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "2025-01-01T00:00:00Z",
        ["goVersion"] = "none",
        ["compiler"] = "dotnet",
        ["platform"] = "linux/amd64",
    };

    private static JsonObject Described(JsonObject o, string kind)
    {
        o["kind"] = kind;
        o["apiVersion"] = "v1";
        return o;
    }

    private static string? AggregatedVersion(ApiRequest request)
    {
        foreach (var part in request.Http.Request.Headers.Accept.ToString().Split(','))
        {
            if (part.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal))
            {
                return part.Contains("v=v2beta1", StringComparison.Ordinal) ? "v2beta1" : "v2";
            }
        }

        return null;
    }

    /// <summary>Groups other than the core one, with their versions in order of preference.</summary>
    private IEnumerable<(string Name, List<string> Versions)> Groups() => registry.All
        .Where(t => t.Group.Length > 0).Select(t => (t.Group, t.Version)).Concat(aggregated.Versions)
        .Distinct().GroupBy(g => g.Item1, StringComparer.Ordinal)
        .Select(g => (g.Key, g.Select(v => v.Item2).OrderByDescending(ApiVersionOrder.Rank).ToList()));

    private static JsonObject Group((string Name, List<string> Versions) group)
    {
        var versions = group.Versions.Select(v => new JsonObject { ["groupVersion"] = $"{group.Name}/{v}", ["version"] = v }).ToList();
        return new JsonObject
        {
            ["name"] = group.Name,
            ["versions"] = versions.Select(v => (JsonNode?)v).ToJson(),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private JsonObject Resources(string group, string version)
    {
        var resources = new JsonArray();
        foreach (var type in registry.All.Where(t => t.Group == group && t.Version == version))
        {
            var entry = new JsonObject
            {
                ["name"] = type.Plural,
                ["singularName"] = type.Singular,
                ["namespaced"] = type.Namespaced,
                ["kind"] = type.Kind,
                ["verbs"] = Verbs(type).ToJson(),
            };
            Describe(type, entry);
            resources.Add(entry);
            foreach (var sub in type.Subresources)
            {
                var (subGroup, subVersion, kind) = SubresourceKind(type, sub);
                var child = new JsonObject { ["name"] = $"{type.Plural}/{sub}", ["singularName"] = "", ["namespaced"] = type.Namespaced };
                if ((subGroup, subVersion) != (type.Group, type.Version))
                {
                    child["group"] = subGroup;
                    child["version"] = subVersion;
                }

                child["kind"] = kind;
                child["verbs"] = SubresourceVerbs(sub).ToJson();
                resources.Add(child);
            }
        }

        return resources.Count == 0 ? throw ApiException.NoSuchPath() : new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = resources,
        };
    }

    private JsonObject Aggregated(bool core, string discoveryVersion)
    {
        var groups = core ? [("", new List<string> { "v1" })] : Groups();
        return new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = $"apidiscovery.k8s.io/{discoveryVersion}",
            ["metadata"] = new JsonObject(),
            ["items"] = groups.Select(g => (JsonNode?)new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = g.Item1, ["creationTimestamp"] = null },
                ["versions"] = g.Item2.Select(v => (JsonNode?)AggregatedVersionOf(g.Item1, v)).ToJson(),
            }).ToJson(),
        };
    }

    private JsonObject AggregatedVersionOf(string group, string version)
    {
        var remote = aggregated.Resources(group, version);
        return new JsonObject
        {
            ["version"] = version,
            ["resources"] = remote?.DeepClone() ?? registry.All.Where(t => t.Group == group && t.Version == version).Select(t => (JsonNode?)AggregatedResource(t)).ToJson(),
            ["freshness"] = "Current",
        };
    }

    private static JsonObject AggregatedResource(ResourceType type)
    {
        var entry = new JsonObject
        {
            ["resource"] = type.Plural,
            ["responseKind"] = ResponseKind(type.Group, type.Version, type.Kind),
            ["scope"] = type.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = type.Singular,
            ["verbs"] = Verbs(type).ToJson(),
        };
        Describe(type, entry);
        if (type.Subresources.Length > 0)
        {
            entry["subresources"] = type.Subresources.Select(sub =>
            {
                var (group, version, kind) = SubresourceKind(type, sub);
                return (JsonNode?)new JsonObject
                {
                    ["subresource"] = sub,
                    ["responseKind"] = ResponseKind(group, version, kind),
                    ["verbs"] = SubresourceVerbs(sub).ToJson(),
                };
            }).ToJson();
        }

        return entry;
    }

    private static JsonObject ResponseKind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static void Describe(ResourceType type, JsonObject entry)
    {
        if (type.ShortNames.Length > 0)
        {
            entry["shortNames"] = type.ShortNames.ToJson();
        }

        if (type.Categories.Length > 0)
        {
            entry["categories"] = type.Categories.ToJson();
        }
    }

    private static string[] Verbs(ResourceType type) => type.CreateOnly ? ["create"] : ReadWrite;

    private static string[] SubresourceVerbs(string sub) => sub switch
    {
        "status" or "scale" or "ephemeralcontainers" => ["get", "patch", "update"],
        "log" => ["get"],
        "finalize" => ["update"],
        "exec" or "attach" or "portforward" => ["create", "get"],
        "proxy" => ["create", "delete", "get", "patch", "update"],
        _ => ["create"],
    };

    private static (string Group, string Version, string Kind) SubresourceKind(ResourceType type, string sub) => sub switch
    {
        "scale" => ("autoscaling", "v1", "Scale"),
        "eviction" => ("policy", "v1", "Eviction"),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest"),
        "binding" => ("", "v1", "Binding"),
        "exec" => ("", "v1", "PodExecOptions"),
        "attach" => ("", "v1", "PodAttachOptions"),
        "portforward" => ("", "v1", "PodPortForwardOptions"),
        _ => (type.Group, type.Version, type.Kind),
    };
}
