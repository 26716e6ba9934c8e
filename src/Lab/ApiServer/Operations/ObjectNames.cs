using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>The rules for names, labels and annotations, with the API server's messages.</summary>
public static partial class ObjectNames
{
    private const string SubdomainRule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string LabelRule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string Rfc1035Rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    private const string QualifiedRule = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const string ValueRule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    /// <summary>What is wrong with the metadata of an object of that type.</summary>
    public static void Check(ResourceType type, JsonObject tree, List<FieldError> errors)
    {
        var metadata = tree["metadata"];
        var name = metadata.Text("name");
        if (string.IsNullOrEmpty(name))
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
        }
        else if (NameError(type, name) is { } error)
        {
            errors.Add(FieldError.Invalid("metadata.name", name, error));
        }

        CheckLabels(metadata.At("labels"), "metadata.labels", errors);
        if (metadata.At("annotations") is JsonObject annotations)
        {
            foreach (var (key, _) in annotations)
            {
                CheckKey(key.ToLowerInvariant(), key, "metadata.annotations", errors);
            }
        }

        var index = 0;
        foreach (var finalizer in metadata.At("finalizers").Texts())
        {
            CheckKey(finalizer, finalizer, $"metadata.finalizers[{index++}]", errors);
        }
    }

    public static void CheckLabels(JsonNode? labels, string path, List<FieldError> errors)
    {
        if (labels is not JsonObject map)
        {
            return;
        }

        foreach (var (key, value) in map)
        {
            CheckKey(key, key, path, errors);
            var text = value.Text() ?? "";
            if (text.Length > 63)
            {
                errors.Add(FieldError.Invalid(path, text, "must be no more than 63 bytes"));
            }
            else if (text.Length > 0 && !QualifiedPart().IsMatch(text))
            {
                errors.Add(FieldError.Invalid(path, text, ValueRule));
            }
        }
    }

    public static bool IsSubdomain(string text) => text.Length <= 253 && Subdomain().IsMatch(text);

    public static bool IsLabel(string text) => text.Length <= 63 && Label().IsMatch(text);

    /// <summary>The rule that the name breaks, or null.</summary>
    private static string? NameError(ResourceType type, string name) => (type.Group, type.Plural) switch
    {
        (_, "namespaces") => name.Length > 63 ? "must be no more than 63 bytes" : Label().IsMatch(name) ? null : LabelRule,
        ("", "services") => name.Length > 63 ? "must be no more than 63 bytes" : Rfc1035().IsMatch(name) ? null : Rfc1035Rule,
        ("rbac.authorization.k8s.io", _) => name is "." or ".." || name.Contains('/') || name.Contains('%') ? "may not contain '/' or '%'" : null,
        _ => name.Length > 253 ? "must be no more than 253 bytes" : Subdomain().IsMatch(name) ? null : SubdomainRule,
    };

    private static void CheckKey(string key, string shown, string path, List<FieldError> errors)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var part = key[(slash + 1)..];
        if (slash >= 0 && !IsSubdomain(key[..slash]))
        {
            errors.Add(FieldError.Invalid(path, shown, $"prefix part {SubdomainRule}"));
        }

        if (part.Length > 63)
        {
            errors.Add(FieldError.Invalid(path, shown, "name part must be no more than 63 bytes"));
        }
        else if (!QualifiedPart().IsMatch(part))
        {
            errors.Add(FieldError.Invalid(path, shown, QualifiedRule));
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex Subdomain();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex Label();

    [GeneratedRegex("^[a-z]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex Rfc1035();

    [GeneratedRegex("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")]
    private static partial Regex QualifiedPart();
}
