using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>/openapi/v2 and /openapi/v3, made from the same schemas that validate.</summary>
/// <remarks>Version 3 says that writes take fieldValidation and dryRun, so new kubectls let the server validate; and gives fields for
/// <c>kubectl explain</c>. Version 2 is what kubectls before 1.27 read, as protobuf: paths only, so they skip their own validation.</remarks>
public sealed class OpenApiRequests(ResourceRegistry registry)
{
    private const string V2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    public async Task<bool> TryAnswerAsync(ApiRequest request)
    {
        var path = request.Http.Request.Path.Value ?? "";
        if (path == "/openapi/v2")
        {
            if (request.Http.Request.Headers.Accept.ToString().Contains("protobuf", StringComparison.Ordinal))
            {
                await Responses.WriteAsync(request.Http, 200, OpenApiV2.ToProtobuf(registry.All), V2Protobuf);
            }
            else
            {
                await Responses.WriteAsync(request.Http, 200, OpenApiV2.ToJson(registry.All));
            }

            return true;
        }

        if (path == "/openapi/v3")
        {
            var paths = new JsonObject();
            foreach (var groupVersion in registry.All.Select(t => t.GroupVersionPath).Distinct())
            {
                paths[groupVersion[1..]] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3{groupVersion}" };
            }

            await Responses.WriteAsync(request.Http, 200, new JsonObject { ["paths"] = paths });
            return true;
        }

        if (path.StartsWith("/openapi/v3/", StringComparison.Ordinal))
        {
            var types = registry.All.Where(t => t.GroupVersionPath == path["/openapi/v3".Length..]).ToList();
            await Responses.WriteAsync(request.Http, 200, types.Count > 0 ? OpenApiV3.Document(types) : throw ApiException.NoSuchPath());
            return true;
        }

        return false;
    }
}
