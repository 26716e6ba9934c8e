using System.Text.Json.Nodes;

namespace Weft.Controller.Api;

/// <summary>Says which kinds there are, as the Kubernetes API server and kubectl ask.</summary>
internal static class Discovery
{
    public static JsonObject GroupList() => new() { ["apiVersion"] = "v1", ["kind"] = "APIGroupList", ["groups"] = new JsonArray(GroupPart()) };

    public static JsonObject Group()
    {
        var page = GroupPart();
        page["apiVersion"] = "v1";
        page["kind"] = "APIGroup";
        return page;
    }

    public static JsonObject Resources() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "APIResourceList",
        ["groupVersion"] = TopologyKind.ApiVersion,
        ["resources"] = new JsonArray([.. TopologyKind.All.Select(k => (JsonNode)new JsonObject
        {
            ["name"] = k.Plural,
            ["singularName"] = k.Kind.ToLowerInvariant(),
            ["namespaced"] = k.IsNamespaced,
            ["kind"] = k.Kind,
            ["verbs"] = new JsonArray("get", "list", "watch"),
            ["shortNames"] = new JsonArray(k.ShortName),
            ["categories"] = new JsonArray("weft"),
        })]),
    };

    private static JsonObject GroupPart() => new()
    {
        ["name"] = TopologyKind.Group,
        ["versions"] = new JsonArray(new JsonObject { ["groupVersion"] = TopologyKind.ApiVersion, ["version"] = TopologyKind.Version }),
        ["preferredVersion"] = new JsonObject { ["groupVersion"] = TopologyKind.ApiVersion, ["version"] = TopologyKind.Version },
    };
}
