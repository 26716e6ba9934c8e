using System.Globalization;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Weft.Ovsdb;

/// <summary>A forward-only view of a stream of JSON values: what the next token is, and an error that says where it was wrong.</summary>
/// <remarks>Never holds a document: strings that repeat are shared, everything else goes straight into rows. Not thread-safe.</remarks>
internal sealed class OvsdbJsonReader
{
    /// <summary>Deep enough for every message of the protocol; a bound against nested rubbish.</summary>
    public const int MaxDepth = 64;

    private readonly JsonReader _json;
    private readonly StringPool _strings;

    public OvsdbJsonReader(TextReader text, StringPool? strings = null)
        : this(new JsonTextReader(text)
        {
            SupportMultipleContent = true, MaxDepth = MaxDepth, DateParseHandling = DateParseHandling.None,
            FloatParseHandling = FloatParseHandling.Double, CloseInput = false, PropertyNameTable = new DefaultJsonNameTable(),
        }, strings)
    {
    }

    public OvsdbJsonReader(JsonReader json, StringPool? strings = null)
    {
        _json = json;
        _strings = strings ?? new StringPool();
    }

    /// <summary>Where the reader stands.</summary>
    public JsonToken Token => _json.TokenType;

    /// <summary>Shares this reader's strings with a reader over a document.</summary>
    public OvsdbJsonReader Over(JToken document)
    {
        var reader = new OvsdbJsonReader(new JTokenReader(document), _strings);
        reader.Next();
        return reader;
    }

    /// <summary>Moves to the next message; false at the end of the stream.</summary>
    public bool NextMessage()
    {
        try
        {
            // Comments are no JSON, but Newtonsoft reports them as tokens.
            return _json.Read();
        }
        catch (JsonException e)
        {
            throw new OvsdbProtocolException($"not JSON: {e.Message}", e);
        }
    }

    /// <summary>Moves to the next token of the same message.</summary>
    public JsonToken Next()
    {
        try
        {
            return _json.Read() ? _json.TokenType : throw new OvsdbProtocolException("the stream ended inside a message");
        }
        catch (JsonException e)
        {
            throw new OvsdbProtocolException($"not JSON: {e.Message}", e);
        }
    }

    public void Expect(JsonToken token, string what)
    {
        if (_json.TokenType != token)
        {
            throw Wrong($"{Describe()} where {what} belongs");
        }
    }

    public void NextExpect(JsonToken token, string what)
    {
        Next();
        Expect(token, what);
    }

    /// <summary>Walks the members of the object that the reader stands on: true with the reader on the member's value, false at its end.</summary>
    public bool NextMember(out string name)
    {
        if (Next() == JsonToken.EndObject)
        {
            name = "";
            return false;
        }

        Expect(JsonToken.PropertyName, "a member's name");
        name = (string)_json.Value!;
        Next();
        return true;
    }

    /// <summary>Skips the value that the reader stands on.</summary>
    public void Skip()
    {
        try
        {
            var depth = _json.Depth;
            if (_json.TokenType is JsonToken.StartObject or JsonToken.StartArray)
            {
                do
                {
                    Next();
                }
                while (_json.Depth > depth);
            }
        }
        catch (JsonException e)
        {
            throw new OvsdbProtocolException($"not JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads the value that the reader stands on as a document: only for small values.</summary>
    public JToken Document()
    {
        try
        {
            return JToken.ReadFrom(_json);
        }
        catch (JsonException e)
        {
            throw new OvsdbProtocolException($"not JSON: {e.Message}", e);
        }
    }

    public string Text(string what)
    {
        Expect(JsonToken.String, what);
        return _strings.Share((string)_json.Value!);
    }

    public bool Flag(string what)
    {
        Expect(JsonToken.Boolean, what);
        return (bool)_json.Value!;
    }

    public bool IsInteger(out long number)
    {
        number = _json.Value is long value ? value : 0;
        return _json.Value is long;
    }

    public long Number(string what) =>
        _json.Value is long number ? number : throw Wrong($"{Describe()} where {what} belongs");

    /// <summary>The text of a uuid.</summary>
    public Guid Uuid()
    {
        Expect(JsonToken.String, "a uuid's text");
        return Guid.TryParseExact((string)_json.Value!, "D", out var uuid) ? uuid : throw Wrong($"\"{_json.Value}\" where a uuid belongs");
    }

    /// <summary>A uuid that was read before its type was known.</summary>
    public object UuidAs<T>(Guid uuid) =>
        typeof(T) == typeof(Guid) ? uuid : throw Wrong($"a uuid where an atom of type {typeof(T).Name} belongs");

    /// <summary>The atom that the reader stands on, boxed without allocating where possible.</summary>
    public object BoxedAtom<T>()
        where T : notnull
    {
        if (typeof(T) == typeof(string))
        {
            return Text("a string");
        }

        return typeof(T) == typeof(long) ? Atom.Box(Number("an integer"))
            : typeof(T) == typeof(bool) ? Atom.Box(Flag("a boolean"))
            : TypedAtom<T>();
    }

    /// <summary>The atom that the reader stands on.</summary>
    public T TypedAtom<T>()
        where T : notnull
    {
        if (typeof(T) == typeof(string))
        {
            return (T)(object)Text("a string");
        }

        if (typeof(T) == typeof(long))
        {
            return (T)(object)Number("an integer");
        }

        if (typeof(T) == typeof(bool))
        {
            return (T)(object)Flag("a boolean");
        }

        return typeof(T) == typeof(double) ? (T)(object)Real() : (T)(object)UuidAtom();
    }

    /// <summary>An error about what the reader stands on, with the path to it.</summary>
    public OvsdbProtocolException Wrong(string what) => new($"{what}, at {(_json.Path.Length == 0 ? "the start" : _json.Path)}");

    private double Real() => _json.Value switch
    {
        double number => number,
        long number => number,
        _ => throw Wrong($"{Describe()} where a real belongs"),
    };

    private Guid UuidAtom()
    {
        Expect(JsonToken.StartArray, "a uuid");
        Next();
        if (Text("the tag of a uuid") != "uuid")
        {
            throw Wrong($"\"{_json.Value}\" where \"uuid\" belongs");
        }

        Next();
        var uuid = Uuid();
        NextExpect(JsonToken.EndArray, "the end of a uuid");
        return uuid;
    }

    private string Describe() => _json.TokenType switch
    {
        JsonToken.StartArray => "an array",
        JsonToken.StartObject => "an object",
        JsonToken.Null => "null",
        JsonToken.String or JsonToken.Integer or JsonToken.Float or JsonToken.Boolean =>
            $"\"{Convert.ToString(_json.Value, CultureInfo.InvariantCulture)}\"",
        var other => other.ToString(),
    };
}
