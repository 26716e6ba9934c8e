using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>The way of every request: who, what, may they, and to the part that answers. Refusals become a Status.</summary>
public sealed partial class ApiHandler(
    Authenticator authenticator,
    Authorizer authorizer,
    ResourceRegistry registry,
    DiscoveryRequests discovery,
    OpenApiRequests openApi,
    AggregatedApis aggregated,
    ReadRequests reads,
    WriteRequests writes,
    WatchRequests watches,
    SubresourceRequests subresources,
    ReviewRequests reviews,
    Faults faults,
    ObjectStore store,
    ILogger<ApiHandler> logger)
{
    /// <summary>Marks connections of the unix socket, which have all rights.</summary>
    public const string PrivateConnection = "weft-lab-private";

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await AnswerAsync(http);
        }
        catch (ApiException e)
        {
            await Responses.WriteAsync(http, e);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left.
        }
        catch (Exception e) when (e is BadHttpRequestException or JsonException)
        {
            await Responses.WriteAsync(http, ApiException.BadRequest(e.Message));
        }
        catch (Exception e)
        {
            LogFailed(logger, http.Request.Method, http.Request.Path, e);
            await Responses.WriteAsync(http, new ApiException(500, "InternalError", $"Internal error occurred: {e.Message}"));
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var isPrivate = http.Items.ContainsKey(PrivateConnection);
        if (isPrivate && await faults.OrderAsync(http, () =>
        {
            store.CompactHistory();
            reads.Forget();
        }))
        {
            return;
        }

        if (http.Request.Path.Value is "/healthz" or "/livez" or "/readyz")
        {
            await Responses.WriteAsync(http, 200, "ok"u8.ToArray(), "text/plain");
            return;
        }

        var user = isPrivate ? UserInfo.Lab : authenticator.Authenticate(http) ?? throw ApiException.Unauthorized();
        var request = ApiRequest.Read(http, user, registry);
        await faults.MeetAsync(http);
        authorizer.Check(request);
        if (await aggregated.TryProxyAsync(request) || await discovery.TryAnswerAsync(request) || await openApi.TryAnswerAsync(request))
        {
            return;
        }

        await ResourceAsync(request, request.Type ?? throw ApiException.NoSuchPath());
    }

    private Task ResourceAsync(ApiRequest request, ResourceType type)
    {
        if (type.Namespaced ? request is { Namespace: "", Name: not null } : request.Namespace.Length > 0)
        {
            throw ApiException.NoSuchPath();
        }

        if (type.CreateOnly)
        {
            return request.Method == "POST" ? reviews.CreateAsync(request, type) : throw ApiException.MethodNotAllowed();
        }

        if (request.Subresource is not (null or "status"))
        {
            return subresources.AnswerAsync(request, type);
        }

        if (request.Subresource == "status" && !type.HasStatus)
        {
            throw ApiException.NoSuchPath();
        }

        return request.Method switch
        {
            "GET" when request.IsWatch => watches.WatchAsync(request, type),
            "GET" when request.Name is null => reads.ListAsync(request, type),
            "GET" => reads.GetAsync(request, type),
            "POST" => writes.CreateAsync(request, type),
            "PUT" when request.Name is not null => writes.UpdateAsync(request, type),
            "PATCH" when request.Name is not null => writes.PatchAsync(request, type),
            "DELETE" when request.Subresource is null => writes.DeleteAsync(request, type),
            _ => throw ApiException.MethodNotAllowed(),
        };
    }

    [LoggerMessage(6000, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, string method, string path, Exception error);
}
