using Weft.Kubernetes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A request, taken apart as the Kubernetes API conventions say.</summary>
/// <param name="Type">Null for paths that are no resource.</param>
/// <param name="Namespace">Empty for all namespaces and for cluster-scoped resources.</param>
/// <param name="Rest">What follows a subresource such as proxy.</param>
public sealed record ApiRequest(
    HttpContext Http, UserInfo User, ResourceType? Type, string Group, string Resource, string Namespace, string? Name, string? Subresource, string Rest)
{
    public const int LargestBody = 16 << 20;

    public string Method => Http.Request.Method;

    public CancellationToken Aborted => Http.RequestAborted;

    public bool IsWatch => Method == "GET" && Query("watch") is "true" or "1" or "";

    /// <summary>The verb that roles speak of.</summary>
    public string Verb => Method switch
    {
        "GET" or "HEAD" when Type is null => "get",
        "GET" or "HEAD" when Name is not null => "get",
        "GET" or "HEAD" => IsWatch ? "watch" : "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => Name is null && Type is not null ? "deletecollection" : "delete",
        _ => Method.ToLowerInvariant(),
    };

    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) ? values.ToString() : null;

    public StringValues QueryAll(string name) => Http.Request.Query[name];

    /// <summary>Reads the path only; whether the resource exists and the user may is decided later.</summary>
    public static ApiRequest Read(HttpContext http, UserInfo user, ResourceRegistry registry)
    {
        var parts = (http.Request.Path.Value ?? "/").Split('/', StringSplitOptions.RemoveEmptyEntries);
        var start = parts switch
        {
            ["api", _, _, ..] => 1,
            ["apis", _, _, _, ..] => 2,
            _ => 0,
        };
        if (start == 0)
        {
            return new ApiRequest(http, user, null, "", "", "", null, null, "");
        }

        var group = start == 1 ? "" : parts[1];
        var version = parts[start];
        var tail = parts.AsSpan(start + 1);
        var ns = "";

        // "namespaces/x/status" and "namespaces/x/finalize" are subresources of the namespace, everything else is inside it.
        if (tail is ["namespaces", _, _, ..] && !(start == 1 && tail is [_, _, "status" or "finalize"]))
        {
            ns = tail[1];
            tail = tail[2..];
        }

        var type = registry.Find(group, version, tail[0]);
        return new ApiRequest(http, user, type, group, tail[0], ns,
            tail.Length > 1 ? tail[1] : null, tail.Length > 2 ? tail[2] : null, tail.Length > 3 ? string.Join('/', tail[3..].ToArray()) : "");
    }

    /// <summary>The body as an object; YAML where the client says so.</summary>
    /// <exception cref="ApiException">Not readable.</exception>
    public async Task<JsonNode?> ReadBodyAsync()
    {
        var contentType = (Http.Request.ContentType ?? "application/json").Split(';')[0].Trim();
        using var buffer = new MemoryStream();
        await Http.Request.Body.CopyToAsync(buffer, Aborted);
        if (buffer.Length > LargestBody)
        {
            throw new ApiException(413, "RequestEntityTooLarge", $"the request has {buffer.Length} bytes; the limit is {LargestBody}");
        }

        if (buffer.Length == 0)
        {
            return null;
        }

        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        try
        {
            return contentType switch
            {
                "application/yaml" or "application/x-yaml" => YamlText.ToJson(bytes),
                "application/apply-patch+yaml" when bytes.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..] => YamlText.ToJson(bytes),
                "application/vnd.kubernetes.protobuf" => ProtobufText.ToJson(bytes),
                _ => Json.ParseNode(bytes),
            };
        }
        catch (Exception e) when (e is JsonException or YamlDotNet.Core.YamlException)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized (must be of type {Type?.Kind ?? "object"}): {e.Message}");
        }
    }

    /// <exception cref="ApiException">Missing, or no object.</exception>
    public async Task<JsonObject> ReadObjectAsync() =>
        await ReadBodyAsync() as JsonObject ?? throw ApiException.BadRequest("the request has no object in its body");

    public WriteOptions WriteOptions()
    {
        var manager = Query("fieldManager");
        if (string.IsNullOrEmpty(manager))
        {
            manager = Http.Request.Headers.UserAgent.ToString().Split('/')[0];
        }

        return new WriteOptions
        {
            DryRun = Query("dryRun") switch
            {
                null or "" => false,
                "All" => true,
                var other => throw ApiException.BadRequest($"dryRun: \"{other}\": the only value is All"),
            },
            FieldManager = manager.Length == 0 ? "unknown" : manager,
            Force = Query("force") == "true",
            FieldValidation = Query("fieldValidation") switch
            {
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                null or "" or "Warn" => FieldValidation.Warn,
                var other => throw ApiException.BadRequest($"fieldValidation: \"{other}\": use Ignore, Warn or Strict"),
            },
        };
    }
}
