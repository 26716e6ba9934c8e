using System.Collections.Frozen;
using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>A database as the server describes it (RFC 7047 section 3.2).</summary>
/// <param name="Name">Its name, such as <c>Open_vSwitch</c>.</param>
/// <param name="Version">Its version, such as <c>8.3.1</c>.</param>
/// <param name="Tables">Its tables by name.</param>
public sealed record DatabaseSchema(string Name, string Version, FrozenDictionary<string, TableSchema> Tables)
{
    /// <summary>Reads a schema, such as an <c>.ovsschema</c> file.</summary>
    /// <exception cref="OvsdbProtocolException">It is no schema; the message says where.</exception>
    public static DatabaseSchema Parse(string json)
    {
        using var text = new StringReader(json);
        var reader = new OvsdbJsonReader(text);
        return reader.NextMessage() && reader.Token == JsonToken.StartObject
            ? SchemaReader.Read(reader)
            : throw new OvsdbProtocolException("a schema is a JSON object");
    }
}
