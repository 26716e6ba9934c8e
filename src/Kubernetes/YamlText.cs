using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Weft.Kubernetes;

/// <summary>YAML to JSON trees, with the core schema's scalars (YAML 1.2, 10.3.2).</summary>
public static partial class YamlText
{
    /// <summary>The first document; null when there is none.</summary>
    /// <exception cref="YamlException">Not YAML.</exception>
    public static JsonNode? ToJson(ReadOnlySpan<byte> utf8)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Encoding.UTF8.GetString(utf8)));
        return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode);
    }

    /// <summary>Every document that is not empty, with the line on which it begins.</summary>
    /// <exception cref="YamlException">Not YAML.</exception>
    public static IReadOnlyList<(long Line, JsonNode Root)> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents
            .Select(d => (Line: (long)d.RootNode.Start.Line, Root: Convert(d.RootNode)))
            .Where(d => d.Root is not null).Select(d => (d.Line, d.Root!))];
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", Convert(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Scalar(scalar.Value ?? ""),
        YamlScalarNode scalar => scalar.Value,
        _ => null,
    };

    private static JsonNode? Scalar(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ when Integer().IsMatch(text) && long.TryParse(text, CultureInfo.InvariantCulture, out var n) => n,
        _ when Float().IsMatch(text) => double.Parse(text, CultureInfo.InvariantCulture),
        _ => text,
    };

    [GeneratedRegex("^[-+]?[0-9]+$")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();
}
