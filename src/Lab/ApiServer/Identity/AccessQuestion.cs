using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>May somebody do this? Either a resource, or (Path set) another path.</summary>
public sealed record AccessQuestion(string Verb, string Group, string Resource, string Namespace, string Name, string? Path)
{
    public static AccessQuestion Of(ApiRequest request) => request.Resource.Length == 0
        ? new AccessQuestion(request.Method == "GET" ? "get" : request.Verb, "", "", "", "", request.Http.Request.Path.Value ?? "/")
        : new AccessQuestion(VerbOf(request), request.Group, request.Subresource is null ? request.Resource : $"{request.Resource}/{request.Subresource}",
            request.Resource == "namespaces" && request.Name is not null ? request.Name : request.Namespace, request.Name ?? "", null);

    /// <summary>Reads the spec of a SubjectAccessReview.</summary>
    public static AccessQuestion Of(JsonNode? spec)
    {
        if (spec.At("nonResourceAttributes") is { } path)
        {
            return new AccessQuestion(path.Text("verb") ?? "", "", "", "", "", path.Text("path") ?? "");
        }

        var resource = spec.At("resourceAttributes");
        var sub = resource.Text("subresource");
        var name = resource.Text("resource") ?? "";
        return new AccessQuestion(resource.Text("verb") ?? "", resource.Text("group") ?? "", string.IsNullOrEmpty(sub) ? name : $"{name}/{sub}",
            resource.Text("namespace") ?? "", resource.Text("name") ?? "", null);
    }

    /// <summary>"update" for a PUT even where the type is unknown here (aggregated APIs).</summary>
    private static string VerbOf(ApiRequest request) => request.Method switch
    {
        "GET" or "HEAD" when request.Name is not null => "get",
        "GET" or "HEAD" => request.IsWatch ? "watch" : "list",
        "DELETE" => request.Name is null ? "deletecollection" : "delete",
        _ => request.Verb,
    };
}
