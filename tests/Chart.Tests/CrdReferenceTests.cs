using System.Text;
using System.Text.Json.Nodes;
using Weft.Lab.ApiServer;

namespace Weft.Chart.Tests;

/// <summary>docs/reference/crds.md says what the definitions in the chart say. <c>WEFT_UPDATE_DOCS=1</c> writes it anew.</summary>
public sealed class CrdReferenceTests
{
    private static readonly string[] Kinds = ["Vpc", "Subnet", "VpcPeering", "AddressPool"];

    [Test]
    public async Task The_page_of_the_CRDs_is_made_of_them()
    {
        var page = Path.Combine(Helm.Root, "docs/reference/crds.md");
        var definitions = Directory.EnumerateFiles(Path.Combine(Helm.Chart, "crds")).SelectMany(f => Helm.Read(File.ReadAllText(f)))
            .ToDictionary(d => d.Text("spec", "names", "kind")!, StringComparer.Ordinal);
        Assert.That(definitions.Keys, Is.EquivalentTo(Kinds));
        var text = new StringBuilder("""
            # Custom resources

            Group `weft.dev`, version `v1alpha1`, all of them cluster-wide. Made from `deploy/helm/weft/crds/`, which a test holds. What they are for:
            [tenants](../guide/tenants.md). The API server refuses what breaks a rule below, with the rule's message.

            Beside these the controller reads ClusterNetworkPolicy (`policy.networking.k8s.io/v1alpha2`), AdminNetworkPolicy and
            BaselineAdminNetworkPolicy (`v1alpha1`) as their project defines them: [policies](../guide/policies.md).

            """);
        foreach (var kind in Kinds)
        {
            Describe(text, definitions[kind]);
        }

        if (Environment.GetEnvironmentVariable("WEFT_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(page, text.ToString());
        }

        Assert.That(await File.ReadAllTextAsync(page), Is.EqualTo(text.ToString()), "WEFT_UPDATE_DOCS=1 writes it anew");
    }

    [Test]
    public void Every_field_of_a_spec_says_what_it_is()
    {
        var silent = Directory.EnumerateFiles(Path.Combine(Helm.Chart, "crds")).SelectMany(f => Helm.Read(File.ReadAllText(f)))
            .SelectMany(d => Schema(d)["properties"]!["spec"]!["properties"]!.AsObject().Where(p => p.Value!["description"] is null).Select(p => $"{d.Text("spec", "names", "kind")}.{p.Key}"));
        Assert.That(silent, Is.Empty);
    }

    private static void Describe(StringBuilder text, JsonObject definition)
    {
        var (names, schema) = (definition["spec"]!["names"]!, Schema(definition));
        text.Append($"\n## {names["kind"]}\n\n{schema["description"]} `kubectl get {names["plural"]}`, in short `{names["shortNames"]![0]}`.\n");
        foreach (var part in (string[])["spec", "status"])
        {
            text.Append($"\n| {part} | type | what it is |\n|---|---|---|\n");
            Rows(text, "", schema["properties"]![part]!.AsObject());
        }

        var rules = new List<string>();
        Rules(rules, "spec", schema["properties"]!["spec"]!.AsObject());
        if (rules.Count > 0)
        {
            text.Append("\n| field | what the API server says of a value that breaks a rule |\n|---|---|\n").AppendJoin("", rules.Distinct());
        }
    }

    private static void Rows(StringBuilder text, string prefix, JsonObject node)
    {
        var required = node["required"].Texts().ToHashSet(StringComparer.Ordinal);
        foreach (var (name, value) in node["properties"]!.AsObject())
        {
            var field = value!.AsObject();
            text.Append($"| `{prefix}{name}` | {Type(field)} | {Words(field, required.Contains(name))} |\n");
            var inner = field["items"] as JsonObject ?? field;
            // Conditions are those of every Kubernetes object.
            if (inner["properties"] is not null && name != "conditions")
            {
                Rows(text, $"{prefix}{name}{(inner == field ? "" : "[]")}.", inner);
            }
        }
    }

    private static string Type(JsonObject field) => (string)field["type"]! switch
    {
        "array" => $"list of {Type(field["items"]!.AsObject())}",
        "object" when field["additionalProperties"] is JsonObject values => $"map to {Type(values)}",
        "string" when field["enum"] is { } words => string.Join(", ", words.Texts().Select(w => $"`{w}`")),
        var type => type,
    };

    private static string Words(JsonObject field, bool required)
    {
        var limits = ((string, string)[])[("minimum", "at least {0}"), ("maximum", "at most {0}"), ("minItems", "at least {0} entries"), ("maxItems", "at most {0} entries")];
        string[] words =
        [
            (string?)field["description"] ?? "",
            required ? "Required." : "",
            field["default"] is { } value ? $"Default: `{value.ToJsonString().Trim('"')}`." : "",
            string.Join(", ", limits.Where(l => field[l.Item1] is not null).Select(l => string.Format(System.Globalization.CultureInfo.InvariantCulture, l.Item2, field[l.Item1]))) is { Length: > 0 } range
                ? char.ToUpperInvariant(range[0]) + range[1..] + "." : "",
        ];
        return string.Join(' ', words.Where(w => w.Length > 0)).Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static void Rules(List<string> rules, string path, JsonObject node)
    {
        rules.AddRange(node["x-kubernetes-validations"].Objects().Select(r => $"| `{path}` | {r["message"]} |\n"));
        foreach (var (name, value) in node["properties"] as JsonObject ?? [])
        {
            Rules(rules, $"{path}.{name}", value!.AsObject());
        }

        if (node["items"] is JsonObject items)
        {
            Rules(rules, path + "[]", items);
        }
    }

    private static JsonObject Schema(JsonObject definition) => definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.AsObject();
}
