using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

public enum ResponseShape
{
    Object,
    Table,
    MetadataOnly,
}

/// <summary>The form that the client's Accept header asks for, and how an object looks in it.</summary>
public sealed record ResponseForm(ResponseShape Shape, string IncludeObject)
{
    public static ResponseForm Read(ApiRequest request)
    {
        foreach (var part in request.Http.Request.Headers.Accept.ToString().Split(','))
        {
            var parameters = part.Split(';', StringSplitOptions.TrimEntries);
            if (parameters.Contains("as=Table"))
            {
                return new ResponseForm(ResponseShape.Table, request.Query("includeObject") ?? "Metadata");
            }

            if (parameters.Contains("as=PartialObjectMetadata") || parameters.Contains("as=PartialObjectMetadataList"))
            {
                return new ResponseForm(ResponseShape.MetadataOnly, "");
            }

            if (parameters[0] is "application/json" or "*/*")
            {
                break;
            }
        }

        return new ResponseForm(ResponseShape.Object, "");
    }

    /// <summary>One object alone, as a get or a watch event carries it.</summary>
    public ReadOnlyMemory<byte> Single(ResourceType type, StoredObject item) => Shape switch
    {
        ResponseShape.Table => Json.ToBytes(TablePrinter.Table(type, [item], IncludeObject, item.Revision)),
        ResponseShape.MetadataOnly => Json.ToBytes(Metadata(StorageForm.Present(type, item.ToTree()))),
        _ => StorageForm.Text(type, item),
    };

    /// <summary>Writes the start of a list; items, each with <see cref="WriteItem"/>, and <see cref="WriteEnd"/> follow.</summary>
    public void WriteStart(Utf8JsonWriter writer, ResourceType type, long revision, string? token, long? remaining)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", Shape switch
        {
            ResponseShape.Table => "Table",
            ResponseShape.MetadataOnly => "PartialObjectMetadataList",
            _ => type.Kind + "List",
        });
        writer.WriteString("apiVersion", Shape == ResponseShape.Object ? type.ApiVersion : "meta.k8s.io/v1");
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", revision.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (token is not null)
        {
            writer.WriteString("continue", token);
        }

        if (remaining is { } left)
        {
            writer.WriteNumber("remainingItemCount", left);
        }

        writer.WriteEndObject();
        if (Shape == ResponseShape.Table)
        {
            writer.WritePropertyName("columnDefinitions");
            Json.Write(writer, TablePrinter.Columns(type));
        }

        writer.WriteStartArray(Shape == ResponseShape.Table ? "rows" : "items");
    }

    public void WriteItem(Utf8JsonWriter writer, ResourceType type, StoredObject item)
    {
        switch (Shape)
        {
            case ResponseShape.Table:
                Json.Write(writer, TablePrinter.Row(type, item, IncludeObject));
                break;
            case ResponseShape.MetadataOnly:
                Json.Write(writer, Metadata(StorageForm.Present(type, item.ToTree())));
                break;
            default:
                writer.WriteRawValue(StorageForm.Text(type, item).Span, skipInputValidation: true);
                break;
        }
    }

    public static void WriteEnd(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    internal static JsonObject Metadata(JsonObject tree) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = tree["metadata"]?.DeepClone(),
    };
}
