using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Controller.Api;

/// <summary>Makes the tables that <c>kubectl get</c> prints (meta.k8s.io/v1 Table).</summary>
internal static class Tables
{
    public static JsonObject Of(TopologyKind kind, IEnumerable<TopologyObject> objects, long revision) => new()
    {
        ["apiVersion"] = "meta.k8s.io/v1",
        ["kind"] = "Table",
        ["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) },
        ["columnDefinitions"] = new JsonArray([Definition("Name", "string", "name", 0), .. kind.Columns.Select(c => Definition(c.Name, c.Type, "", c.IsWide ? 1 : 0))]),
        ["rows"] = new JsonArray([.. objects.Select(Row)]),
    };

    private static JsonObject Row(TopologyObject item) => new()
    {
        ["cells"] = new JsonArray([item.Name, .. item.Cells.Select(c => c?.DeepClone())]),
        ["object"] = new JsonObject { ["apiVersion"] = "meta.k8s.io/v1", ["kind"] = "PartialObjectMetadata", ["metadata"] = item.Metadata },
    };

    private static JsonObject Definition(string name, string type, string format, int priority) => new()
    {
        ["name"] = name, ["type"] = type, ["format"] = format, ["description"] = "", ["priority"] = priority,
    };
}
