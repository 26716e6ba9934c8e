using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Writes OVSDB's JSON forms (RFC 7047 section 5.1) onto a stream. Not thread-safe.</summary>
internal sealed class OvsdbJsonWriter(TextWriter text)
{
    private static readonly Dictionary<Guid, string> NoNames = [];

    private readonly JsonTextWriter _json = new(text) { CloseOutput = false, AutoCompleteOnClose = false };

    /// <summary>Rows that the same transaction inserts: their identities are written as <c>["named-uuid", name]</c>.</summary>
    public IReadOnlyDictionary<Guid, string> Names { get; set; } = NoNames;

    public OvsdbJsonWriter BeginObject()
    {
        _json.WriteStartObject();
        return this;
    }

    public OvsdbJsonWriter EndObject()
    {
        _json.WriteEndObject();
        return this;
    }

    public OvsdbJsonWriter BeginArray()
    {
        _json.WriteStartArray();
        return this;
    }

    public OvsdbJsonWriter EndArray()
    {
        _json.WriteEndArray();
        return this;
    }

    public OvsdbJsonWriter Member(string name)
    {
        _json.WritePropertyName(name);
        return this;
    }

    public OvsdbJsonWriter Text(string? value)
    {
        if (value is not null && value.Contains('\0', StringComparison.Ordinal))
        {
            // ovsdb-server would drop the connection.
            throw new ArgumentException($"OVSDB text cannot hold the character U+0000: remove it from \"{value.Replace("\0", "\\0", StringComparison.Ordinal)}\"");
        }

        _json.WriteValue(value);
        return this;
    }

    public OvsdbJsonWriter Number(long value)
    {
        _json.WriteValue(value);
        return this;
    }

    public OvsdbJsonWriter Flag(bool value)
    {
        _json.WriteValue(value);
        return this;
    }

    public OvsdbJsonWriter Null()
    {
        _json.WriteNull();
        return this;
    }

    /// <summary>Writes a JSON document as it is.</summary>
    public OvsdbJsonWriter Document(Newtonsoft.Json.Linq.JToken token)
    {
        token.WriteTo(_json);
        return this;
    }

    public OvsdbJsonWriter Texts(IEnumerable<string> values)
    {
        BeginArray();
        foreach (var value in values)
        {
            Text(value);
        }

        return EndArray();
    }

    public OvsdbJsonWriter Value(OvsdbValue value)
    {
        switch (value.Content)
        {
            case null:
                BeginArray().Text("set").BeginArray().EndArray().EndArray();
                break;
            case IOvsdbSet set:
                BeginArray().Text("set").BeginArray();
                foreach (var atom in set.Atoms)
                {
                    WriteAtom(atom);
                }

                EndArray().EndArray();
                break;
            case IOvsdbMap map:
                BeginArray().Text("map").BeginArray();
                foreach (var (key, item) in map.Atoms)
                {
                    BeginArray();
                    WriteAtom(key);
                    WriteAtom(item);
                    EndArray();
                }

                EndArray().EndArray();
                break;
            default:
                WriteAtom(value.Content);
                break;
        }

        return this;
    }

    public OvsdbJsonWriter Conditions(IEnumerable<Condition> conditions)
    {
        BeginArray();
        foreach (var condition in conditions)
        {
            BeginArray().Text(condition.Column).Text(condition.FunctionText).Value(condition.Value).EndArray();
        }

        return EndArray();
    }

    public void Flush() => _json.Flush();

    private void WriteAtom(object atom)
    {
        switch (atom)
        {
            case string content: Text(content); break;
            case long number: Number(number); break;
            case bool flag: Flag(flag); break;
            case double real:
                _json.WriteValue(double.IsFinite(real) ? real : throw new ArgumentException($"OVSDB has no real {real}: use a finite number"));
                break;
            case Guid uuid when Names.TryGetValue(uuid, out var name): BeginArray().Text("named-uuid").Text(name).EndArray(); break;
            case Guid uuid: BeginArray().Text("uuid").Text(uuid.ToString("D")).EndArray(); break;
            default: throw new NotSupportedException($"{atom.GetType()} is no OVSDB atom");
        }
    }
}
