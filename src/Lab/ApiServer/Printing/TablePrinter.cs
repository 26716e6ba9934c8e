using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Lists as <c>meta.k8s.io/v1 Table</c>, which is what <c>kubectl get</c> prints.</summary>
public static class TablePrinter
{
    public static JsonObject Table(ResourceType type, IEnumerable<StoredObject> items, string includeObject, long revision) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) },
        ["columnDefinitions"] = Columns(type),
        ["rows"] = items.Select(i => (JsonNode?)Row(type, i, includeObject)).ToJson(),
    };

    public static JsonObject Bookmark(ResourceType type, JsonObject metadata) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = new JsonObject { ["resourceVersion"] = metadata["resourceVersion"]?.DeepClone() },
        ["columnDefinitions"] = Columns(type),
        ["rows"] = new JsonArray(new JsonObject
        {
            ["cells"] = new JsonArray(),
            ["object"] = new JsonObject { ["kind"] = type.Kind, ["apiVersion"] = type.ApiVersion, ["metadata"] = metadata },
        }),
    };

    public static JsonArray Columns(ResourceType type)
    {
        var columns = new JsonArray { Column("Name", "string", "name", 0) };
        if (type.Custom is { } custom)
        {
            foreach (var column in custom.Columns)
            {
                columns.Add(Column(column.Name, column.Type, column.Format, column.Priority, column.Description));
            }
        }
        else
        {
            foreach (var column in BuiltInColumns.For(type))
            {
                columns.Add(Column(column.Name, column.Type, "", column.Wide ? 1 : 0));
            }
        }

        return columns;
    }

    public static JsonObject Row(ResourceType type, StoredObject item, string includeObject)
    {
        var tree = StorageForm.Present(type, item.ToTree());
        var cells = new JsonArray { item.Name };
        if (type.Custom is { } custom)
        {
            foreach (var column in custom.Columns)
            {
                cells.Add(CustomCell(column, tree));
            }
        }
        else
        {
            foreach (var column in BuiltInColumns.For(type))
            {
                cells.Add(column.Cell(tree));
            }
        }

        var row = new JsonObject { ["cells"] = cells };
        if (includeObject != "None")
        {
            row["object"] = includeObject == "Object" ? tree : ResponseForm.Metadata(tree);
        }

        return row;
    }

    /// <summary>How long ago, as kubectl says it: 45s, 3m12s, 5h, 2d.</summary>
    public static string Age(string? time)
    {
        if (!DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then))
        {
            return "<unknown>";
        }

        var age = DateTimeOffset.UtcNow - then;
        age = age < TimeSpan.Zero ? TimeSpan.Zero : age;
        return age switch
        {
            { TotalMinutes: < 2 } => Text($"{(int)age.TotalSeconds}s"),
            { TotalMinutes: < 10 } when age.Seconds > 0 => Text($"{(int)age.TotalMinutes}m{age.Seconds}s"),
            { TotalHours: < 3 } => Text($"{(int)age.TotalMinutes}m"),
            { TotalHours: < 8 } when age.Minutes > 0 => Text($"{(int)age.TotalHours}h{age.Minutes}m"),
            { TotalDays: < 2 } => Text($"{(int)age.TotalHours}h"),
            { TotalDays: < 8 } when age.Hours > 0 => Text($"{(int)age.TotalDays}d{age.Hours}h"),
            { TotalDays: < 730 } => Text($"{(int)age.TotalDays}d"),
            _ => Text($"{(int)(age.TotalDays / 365)}y"),
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static JsonNode? CustomCell(PrinterColumn column, JsonObject tree)
    {
        var values = JsonPathQuery.Select(tree, column.JsonPath).ToList();
        if (values.Count == 0)
        {
            return null;
        }

        return column.Type switch
        {
            "date" => Age(values[0].Text()),
            "integer" or "number" or "boolean" => values[0]?.DeepClone(),
            _ => string.Join(",", values.Select(v => v.Text() ?? v?.ToJsonString() ?? "")),
        };
    }

    private static JsonObject Column(string name, string type, string format, int priority, string description = "") => new()
    {
        ["name"] = name,
        ["type"] = type,
        ["format"] = format,
        ["description"] = description,
        ["priority"] = priority,
    };
}
