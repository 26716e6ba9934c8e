using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A field selector ("spec.nodeName=n1,status.phase!=Running").</summary>
public sealed class FieldSelector
{
    private readonly List<(string Path, string Value, bool Equal)> _terms = [];

    /// <summary>The name that <c>metadata.name=</c> asks for: the list has at most one object then.</summary>
    public string? Name => _terms.Where(t => t is { Path: "metadata.name", Equal: true }).Select(t => t.Value).FirstOrDefault();

    public bool IsEmpty => _terms.Count == 0;

    /// <exception cref="ApiException">The text is no selector.</exception>
    public static FieldSelector Parse(string? text)
    {
        var selector = new FieldSelector();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw ApiException.BadRequest($"invalid selector: '{text}'; can't understand '{part}'");
            }

            var negative = part[equals - 1] == '!';
            selector._terms.Add((part[..(negative ? equals - 1 : equals)], part[(equals + 1)..].TrimStart('='), !negative));
        }

        return selector;
    }

    public bool Matches(StoredObject item)
    {
        JsonObject? tree = null;
        foreach (var (path, value, equal) in _terms)
        {
            var actual = path switch
            {
                "metadata.name" => item.Name,
                "metadata.namespace" => item.Namespace,
                "spec.nodeName" => item.NodeName ?? "",
                "status.phase" => item.Phase ?? "",
                _ => Show((tree ??= item.ToTree()).At(path.Split('.'))),
            };
            if (actual == value != equal)
            {
                return false;
            }
        }

        return true;
    }

    private static string Show(JsonNode? node) => node is null ? "" : node.Text() ?? node.ToJsonString();
}
