using System.Globalization;
using System.Text;

namespace Weft.Cni;

/// <summary>Writes one flat JSON object. The serializer's tables take longer to build than the plugin's whole work.</summary>
internal sealed class JsonLine
{
    private readonly StringBuilder _text = new("{");

    public JsonLine Add(string name, string value)
    {
        Name(name);
        Quote(value);
        return this;
    }

    public JsonLine Add(string name, int value)
    {
        Name(name);
        _text.Append(value.ToString(CultureInfo.InvariantCulture));
        return this;
    }

    public JsonLine Add(string name, IReadOnlyList<string> values)
    {
        Name(name);
        for (var i = 0; i < values.Count; i++)
        {
            _text.Append(i == 0 ? '[' : ',');
            Quote(values[i]);
        }

        _text.Append(values.Count == 0 ? "[]" : "]");
        return this;
    }

    /// <summary>The object, without a line end: none is inside it either.</summary>
    public override string ToString() => _text.ToString() + "}";

    private void Name(string name)
    {
        if (_text.Length > 1)
        {
            _text.Append(',');
        }

        Quote(name);
        _text.Append(':');
    }

    /// <summary>RFC 8259 section 7: quotation mark, reverse solidus and control characters must be escaped.</summary>
    private void Quote(string value)
    {
        _text.Append('"');
        foreach (var c in value)
        {
            if (c is '"' or '\\')
            {
                _text.Append('\\').Append(c);
            }
            else if (c < ' ')
            {
                _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                _text.Append(c);
            }
        }

        _text.Append('"');
    }
}
