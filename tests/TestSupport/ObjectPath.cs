namespace Weft.TestSupport;

/// <summary>What a path of the Kubernetes API names: <c>/api/v1/namespaces/a/pods/b/status</c> is object a/b of the collection <c>/api/v1/pods</c>.</summary>
internal readonly record struct ObjectPath(string Collection, string? Namespace, string? Name)
{
    /// <summary>Reads a path; what is below an object is left out.</summary>
    public static ObjectPath Parse(string path)
    {
        var parts = path.Trim('/').Split('/').ToList();
        var prefix = parts[0] == "api" ? 2 : 3;
        var head = "/" + string.Join('/', parts.Take(prefix));
        var rest = parts.Skip(prefix).ToList();
        string? ns = null;
        if (rest is ["namespaces", var found, _, ..])
        {
            ns = found;
            rest.RemoveRange(0, 2);
        }

        return new ObjectPath($"{head}/{rest[0]}", ns, rest.ElementAtOrDefault(1));
    }
}
