using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Weft.Kubernetes;
using YamlDotNet.Core;

namespace Weft.Ctl.WhatIf;

/// <summary>An object with the place that it was read from.</summary>
/// <param name="Object">The object.</param>
/// <param name="Where">File and line, for messages.</param>
public sealed record Manifest(IKubernetesObject Object, string Where);

/// <summary>Reads Kubernetes manifests from files: YAML of any number of documents, JSON, and lists.</summary>
/// <remarks>Kinds that have no part in reachability are passed over and named in <see cref="PassedOver"/>.</remarks>
public sealed class Manifests
{
    private static readonly Dictionary<(string Group, string Kind), JsonTypeInfo> Kinds = new()
    {
        [("", "Namespace")] = KubernetesJson.Default.V1Namespace,
        [("", "Pod")] = KubernetesJson.Default.V1Pod,
        [("", "Node")] = KubernetesJson.Default.V1Node,
        [("networking.k8s.io", "NetworkPolicy")] = KubernetesJson.Default.V1NetworkPolicy,
        [("policy.networking.k8s.io", "ClusterNetworkPolicy")] = KubernetesJson.Default.V1Alpha2ClusterNetworkPolicy,
        [("policy.networking.k8s.io", "AdminNetworkPolicy")] = KubernetesJson.Default.V1Alpha1AdminNetworkPolicy,
        [("policy.networking.k8s.io", "BaselineAdminNetworkPolicy")] = KubernetesJson.Default.V1Alpha1BaselineAdminNetworkPolicy,
    };

    private readonly List<Manifest> _objects = [];
    private readonly SortedSet<string> _passedOver = new(StringComparer.Ordinal);

    /// <summary>The objects in the order of files (by name) and documents.</summary>
    public IReadOnlyList<Manifest> Objects => _objects;

    /// <summary>Kinds that were met and have no part here.</summary>
    public IReadOnlyCollection<string> PassedOver => _passedOver;

    /// <summary>Reads a file, or every <c>*.yaml</c>, <c>*.yml</c> and <c>*.json</c> below a folder.</summary>
    /// <exception cref="ManifestException">Something cannot be read or is not what it should be.</exception>
    public static Manifests Load(params IEnumerable<string> paths)
    {
        var manifests = new Manifests();
        foreach (var file in paths.SelectMany(FilesOf))
        {
            manifests.ReadFile(file);
        }

        return manifests;
    }

    /// <summary>Adds what a text holds.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ManifestException">It is not what it should be.</exception>
    public void Read(string text, string name)
    {
        IReadOnlyList<(long Line, JsonNode Root)> documents;
        try
        {
            documents = YamlText.Documents(text);
        }
        catch (YamlException e)
        {
            throw new ManifestException($"{name}:{e.Start.Line}: not YAML: {e.Message}");
        }

        foreach (var (line, root) in documents)
        {
            Take(root, $"{name}:{line}");
        }
    }

    private static IEnumerable<string> FilesOf(string path)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        if (!Directory.Exists(path))
        {
            throw new ManifestException($"{path}: there is no such file or folder; give one with Kubernetes manifests");
        }

        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".yaml" or ".yml" or ".json").Order(StringComparer.Ordinal).ToList();
        return files.Count > 0 ? files : throw new ManifestException($"{path}: no *.yaml, *.yml or *.json file in it");
    }

    private void ReadFile(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ManifestException($"{file}: cannot be read: {e.Message}");
        }

        Read(text, file);
    }

    private void Take(JsonNode root, string where)
    {
        if (root is not JsonObject tree)
        {
            throw new ManifestException($"{where}: expected an object with apiVersion and kind");
        }

        var (apiVersion, kind) = (Text(tree, "apiVersion", where), Text(tree, "kind", where));
        if (tree["items"] is JsonArray items && kind.EndsWith("List", StringComparison.Ordinal))
        {
            for (var i = 0; i < items.Count; i++)
            {
                Take(items[i] ?? new JsonObject(), $"{where}: items[{i}]");
            }

            return;
        }

        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        if (!Kinds.TryGetValue((slash < 0 ? "" : apiVersion[..slash], kind), out var type))
        {
            _passedOver.Add($"{apiVersion} {kind}");
            return;
        }

        try
        {
            var item = (IKubernetesObject)tree.Deserialize(type)!;
            if (string.IsNullOrEmpty(item.Metadata.Name))
            {
                throw new ManifestException($"{where}: {kind}: metadata.name is missing");
            }

            _objects.Add(new Manifest(item, $"{where}: {kind} {item.Metadata.Name}"));
        }
        catch (JsonException e)
        {
            throw new ManifestException($"{where}: {kind}: {e.Path?.TrimStart('$', '.')} has a value of the wrong type ({e.Message.Split(" Path:")[0]})");
        }
    }

    private static string Text(JsonObject tree, string field, string where) =>
        tree[field] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text
            : throw new ManifestException($"{where}: {field} is missing: every manifest needs apiVersion and kind");
}
