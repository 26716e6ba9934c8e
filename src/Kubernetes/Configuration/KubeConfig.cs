using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Weft.Kubernetes;

/// <summary>Reads a kubeconfig file: the current context's cluster and user. Relative paths are relative to the file.</summary>
public static class KubeConfig
{
    /// <summary>Reads and resolves a file.</summary>
    /// <exception cref="KubernetesException">It cannot be used; the message names the file and the field.</exception>
    public static ClusterConnection Load(string path)
    {
        var root = Parse(path);
        var contextName = Text(root, "current-context") ?? throw Bad(path, "current-context is missing: set it with 'kubectl config use-context'");
        var context = Named(path, root, "contexts", contextName, "context");
        var clusterName = Text(context, "cluster") ?? throw Bad(path, $"contexts[{contextName}].context.cluster is missing");
        var cluster = Named(path, root, "clusters", clusterName, "cluster");
        var user = Text(context, "user") is { } name ? Named(path, root, "users", name, "user") : new YamlMappingNode();
        var where = $"clusters[{clusterName}].cluster";
        var server = Text(cluster, "server");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw Bad(path, $"{where}.server is '{server}': it must be an http or https URL");
        }

        if (Text(cluster, "proxy-url") is not null)
        {
            throw Bad(path, $"{where}.proxy-url is not supported: reach the API server directly");
        }

        return new ClusterConnection
        {
            Server = uri,
            Authorities = PemOf(path, cluster, "certificate-authority", where) is { } ca ? ca.File is { } file ? TrustedAuthorities.FromFile(file)
                : TrustedAuthorities.FromPem(ca.Text, $"{path}: {where}.certificate-authority-data") : null,
            SkipTlsVerification = Text(cluster, "insecure-skip-tls-verify") == "true",
            TlsServerName = Text(cluster, "tls-server-name"),
            ClientCertificate = CertificateOf(path, user),
            Token = TokenOf(path, user),
            Namespace = Text(context, "namespace") ?? "default",
        };
    }

    private static YamlMappingNode Parse(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents.Count > 0 && yaml.Documents[0].RootNode is YamlMappingNode map ? map : throw Bad(path, "not a YAML mapping");
        }
        catch (YamlException e)
        {
            throw new KubernetesException($"{path}: line {e.Start.Line}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static TokenSource TokenOf(string path, YamlMappingNode user)
    {
        if (Text(user, "token") is { } token)
        {
            return TokenSource.Of(token);
        }

        if (Text(user, "tokenFile") is { } file)
        {
            return TokenSource.FromFile(Resolve(path, file));
        }

        if (Text(user, "username") is not null)
        {
            throw Bad(path, "user.username: basic authentication is not supported by Kubernetes any more; use a token or a certificate");
        }

        return Child(user, "exec") is YamlMappingNode exec ? new ExecTokenSource(ExecOf(path, exec), TimeProvider.System) : TokenSource.None;
    }

    private static ExecCommand ExecOf(string path, YamlMappingNode exec)
    {
        var program = Text(exec, "command") ?? throw Bad(path, "user.exec.command is missing");
        var arguments = (Child(exec, "args") as YamlSequenceNode)?.Select(n => ((YamlScalarNode)n).Value ?? "").ToArray() ?? [];
        var environment = (Child(exec, "env") as YamlSequenceNode)?.OfType<YamlMappingNode>()
            .ToDictionary(e => Text(e, "name") ?? "", e => Text(e, "value") ?? "") ?? [];
        return new ExecCommand(program.Contains('/', StringComparison.Ordinal) ? Resolve(path, program) : program, arguments, environment,
            Text(exec, "apiVersion") ?? "client.authentication.k8s.io/v1");
    }

    private static X509Certificate2? CertificateOf(string path, YamlMappingNode user)
    {
        var certificate = PemOf(path, user, "client-certificate", "user");
        var key = PemOf(path, user, "client-key", "user");
        if (certificate is null != key is null)
        {
            throw Bad(path, "user.client-certificate and user.client-key: give both or none");
        }

        try
        {
            return certificate is null ? null : X509Certificate2.CreateFromPem(certificate.Value.Text, key!.Value.Text);
        }
        catch (CryptographicException e)
        {
            throw new KubernetesException($"{path}: user.client-certificate or user.client-key is not PEM: {e.Message}", e);
        }
    }

    private static (string Text, string? File)? PemOf(string path, YamlMappingNode node, string field, string where)
    {
        try
        {
            if (Text(node, field + "-data") is { } data)
            {
                return (Encoding.UTF8.GetString(Convert.FromBase64String(data)), null);
            }

            return Text(node, field) is { } file ? (File.ReadAllText(Resolve(path, file)), Resolve(path, file)) : null;
        }
        catch (FormatException e)
        {
            throw new KubernetesException($"{path}: {where}.{field}-data is not base64", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesException($"{path}: {where}.{field}: cannot be read: {e.Message}", e);
        }
    }

    private static YamlMappingNode Named(string path, YamlMappingNode root, string list, string name, string member) =>
        (Child(root, list) as YamlSequenceNode)?.OfType<YamlMappingNode>().FirstOrDefault(n => Text(n, "name") == name) is { } entry
            ? Child(entry, member) as YamlMappingNode ?? new YamlMappingNode()
            : throw Bad(path, $"{list} has no entry named '{name}'");

    private static YamlNode? Child(YamlMappingNode node, string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;

    private static string? Text(YamlMappingNode node, string name) => Child(node, name) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private static string Resolve(string path, string file) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file);

    private static KubernetesException Bad(string path, string problem) => new($"{path}: {problem}");
}
