using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Kubernetes;

namespace Weft.Policy.Tests;

/// <summary>Policies and the answers that they must give.</summary>
/// <remarks>The table of Cases/*.yaml: "deny", "allow" and "then-deny" are patterns over "from -> to [port] [v4|v6]", applied in this order.</remarks>
public sealed partial class PolicyCase
{
    private readonly List<(bool Allow, Regex From, Regex To, string? Port, AddressFamily? Family)> _patterns = [];

    private PolicyCase(string name) => Name = name;

    public string Name { get; }

    /// <summary>As the file has them, with ${x/a} for addresses.</summary>
    public List<string> Texts { get; } = [];

    public static IReadOnlyList<PolicyCase> All { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Cases"), "*.yaml").Order(StringComparer.Ordinal).SelectMany(f => YamlText.Documents(File.ReadAllText(f))).Select(d => Read(d.Root))];

    /// <summary>The manifests of the policies, with real addresses.</summary>
    public IEnumerable<JsonObject> Policies(Func<string, AddressFamily, string> addressOf) => Texts.Select(t => JsonNode.Parse(Address().Replace(
        t, m => addressOf(m.Groups[1].Value, m.Groups[2].Success ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork)))!.AsObject());

    /// <summary>The policies with the addresses of <see cref="Cluster"/>.</summary>
    public IEnumerable<JsonObject> Policies() => Policies(Cluster.AddressOf);

    public bool Allows(Pair pair)
    {
        if (pair.From == pair.To)
        {
            return true;
        }

        var allowed = true;
        foreach (var (allow, from, to, port, family) in _patterns)
        {
            if (from.IsMatch(pair.From) && to.IsMatch(pair.To) && (port ?? pair.Port) == pair.Port && (family ?? pair.Family) == pair.Family)
            {
                allowed = allow;
            }
        }

        return allowed;
    }

    public override string ToString() => Name;

    private static PolicyCase Read(JsonNode root)
    {
        var found = new PolicyCase(root["name"]!.GetValue<string>());
        var number = 0;
        foreach (var policy in root["policies"]?.AsArray() ?? [])
        {
            found.Texts.Add(Complete(policy!.AsObject(), number++).ToJsonString());
        }

        foreach (var (field, allow) in new[] { ("deny", false), ("allow", true), ("then-deny", false) })
        {
            foreach (var text in root[field]?.AsArray() ?? [])
            {
                found._patterns.Add(Pattern(text!.GetValue<string>(), allow));
            }
        }

        return found;
    }

    private static JsonObject Complete(JsonObject policy, int number)
    {
        var kind = policy["kind"]?.GetValue<string>() ?? "NetworkPolicy";
        var version = kind switch
        {
            "NetworkPolicy" => "networking.k8s.io/v1",
            "ClusterNetworkPolicy" => "policy.networking.k8s.io/v1alpha2",
            _ => "policy.networking.k8s.io/v1alpha1",
        };
        var metadata = new JsonObject { ["name"] = policy["name"]?.GetValue<string>() ?? $"p{number}" };
        if (policy["namespace"] is { } ns)
        {
            metadata["namespace"] = ns.GetValue<string>();
        }

        return new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = metadata, ["spec"] = policy["spec"]!.DeepClone() };
    }

    private static (bool, Regex, Regex, string?, AddressFamily?) Pattern(string text, bool allow)
    {
        var words = text.Split(' ');
        if (words.Length < 3 || words[1] != "->")
        {
            throw new FormatException($"'{text}': write FROM -> TO [PORT] [v4|v6]");
        }

        static Regex Glob(string glob) => new("^" + Regex.Escape(glob).Replace("\\*", ".*", StringComparison.Ordinal) + "$");
        var family = words[^1] switch { "v4" => AddressFamily.InterNetwork, "v6" => AddressFamily.InterNetworkV6, _ => (AddressFamily?)null };
        return (allow, Glob(words[0]), Glob(words[2]), words.Skip(3).FirstOrDefault(w => w.Contains('/', StringComparison.Ordinal)), family);
    }

    [GeneratedRegex(@"\$\{([xyz]/[abc])(:6)?\}")]
    private static partial Regex Address();
}
