using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Weft.Chart.Tests;

/// <summary>The real helm with this checkout's chart.</summary>
/// <remarks>The one on the PATH; see scripts/lib/helm for another. More of them, a Helm 4 for example, are tried with
/// <c>WEFT_HELM_ALSO=/path/to/helm:/path/to/another</c>.</remarks>
internal static class Helm
{
    /// <summary>The one that every test takes: on the PATH, or the oldest release that is tried.</summary>
    public const string Usual = "usual";

    /// <summary>What the chart needs to be told in every cluster.</summary>
    public static readonly string[] Ranges = ["--set", "network.podCidrs={10.10.0.0/16,fd00:10:10::/56}", "--set", "network.serviceCidrs={10.96.0.0/16}"];

    private static readonly ConcurrentDictionary<string, Lazy<Task<(string? Path, string Reason)>>> Found = new(StringComparer.Ordinal);

    public static string Root => new LabPrograms().Root;

    /// <summary>Every Helm that the chart is to be good for: the usual one, a later release, and what the caller has.</summary>
    public static IReadOnlyList<string> Programs =>
        [Usual, "3.10.1", .. (Environment.GetEnvironmentVariable("WEFT_HELM_ALSO") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];

    public static string Chart => Path.Combine(Root, "deploy/helm/weft");

    /// <summary>Runs a command; a chart's folder is not implied.</summary>
    /// <remarks>As nobody and without a way to gain rights: the program may be one that others built (scripts/lib/helm).</remarks>
    public static async Task<ShellResult> RunAsync(IEnumerable<string> arguments, string? kubeconfig = null, string helm = Usual)
    {
        var (program, reason) = await Found.GetOrAdd(helm, name => new(() => FindAsync(name))).Value;
        if (program is null)
        {
            Assert.Ignore(reason);
        }

        var home = Directory.CreateTempSubdirectory("weft-helm-");
        try
        {
            var config = Path.Combine(home.FullName, "kubeconfig");
            if (kubeconfig is not null)
            {
                File.Copy(kubeconfig, config);
            }

            // Nobody may be kept from the checkout by a folder above it: what Helm reads goes where it may read.
            await Shell.RunAsync("cp", ["-r", Chart, program!, home.FullName]);
            var (chart, copy) = (Path.Combine(home.FullName, Path.GetFileName(Chart)), Path.Combine(home.FullName, Path.GetFileName(program!)));
            await Shell.RunAsync("chown", ["-R", "65534:65534", home.FullName]);
            var environment = new Dictionary<string, string> { ["HOME"] = home.FullName, ["KUBECONFIG"] = config };
            return await Shell.TryRunAsync(
                "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", copy, .. arguments.Select(a => a == Chart ? chart : a)],
                null, environment, TimeSpan.FromMinutes(2), CancellationToken.None);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    /// <summary>The objects that a set of values renders to; a refusal fails the test.</summary>
    public static Task<IReadOnlyList<JsonObject>> RenderAsync(params string[] values) => RenderAsync(Usual, values);

    /// <summary>The same by another of <see cref="Programs"/>.</summary>
    public static async Task<IReadOnlyList<JsonObject>> RenderAsync(string helm, string[] values)
    {
        var result = await TemplateAsync(helm, values);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return Read(result.Output);
    }

    public static Task<ShellResult> TemplateAsync(params string[] values) => TemplateAsync(Usual, values);

    public static Task<ShellResult> TemplateAsync(string helm, string[] values) =>
        RunAsync(["template", "weft", Chart, "--namespace", "weft-system", "--kube-version", "1.32.0", "--include-crds", .. values], helm: helm);

    /// <summary>The documents of a YAML text, as JSON.</summary>
    /// <remarks>Repeated keys are errors, which Helm itself lets through.</remarks>
    public static IReadOnlyList<JsonObject> Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(d => ToJson(d.RootNode)).OfType<JsonObject>()];
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new InvalidDataException($"{node.GetType().Name} is not expected"),
    };

    private static JsonNode? Plain(string text) => text switch
    {
        "" or "null" or "~" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when text == "0" || (text[0] is not '0' and not '+' && long.TryParse(text, out _)) => JsonSerializer.SerializeToNode(long.Parse(text, System.Globalization.CultureInfo.InvariantCulture)),
        ['0', .. var octal] when octal.All(c => c is >= '0' and <= '7') => JsonValue.Create(Convert.ToInt64(octal, 8)),
        _ => JsonValue.Create(text),
    };

    private static async Task<(string? Path, string Reason)> FindAsync(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return (name, "");
        }

        var result = await Shell.TryRunAsync(
            "bash", ["-c", $"cd '{Root}' && . scripts/lib/helm && find_helm {(name == Usual ? "" : name)} >&2 && echo \"$WEFT_HELM\""], null, null, TimeSpan.FromMinutes(2), CancellationToken.None);
        return result.ExitCode == 0 ? (result.Output.Trim(), "") : (null, result.Error.Trim());
    }
}
