using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Weft.Topology;

namespace Weft.Controller.Publish;

/// <summary>The pages that agents use (docs/design/data-flow.md): the stream and the report of each node.</summary>
public sealed class AgentEndpoints(Publisher publisher, Leadership leadership, IAgentAuthentication authentication, NodeReports reports)
{
    private const int LongestReport = 4 * 1024 * 1024;

    /// <summary>The longest silence on a stream.</summary>
    public TimeSpan AliveEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Adds the pages.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/nodes/{node}/stream", StreamAsync);
        app.MapPost("/v1/nodes/{node}/report", ReportAsync);
    }

    private async Task StreamAsync(HttpContext http, string node)
    {
        // A term that ends takes its streams along: agents look for the new leader.
        var term = leadership.Term;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, term);
        var ct = stop.Token;
        try
        {
            if (await RefuseAsync(http, node).ConfigureAwait(false))
            {
                return;
            }

            // A controller that has not seen everything must not look as if objects were gone.
            await publisher.Synced.WaitAsync(ct).ConfigureAwait(false);
            if (!publisher.Read(n => n.HasNode(node)))
            {
                await AnswerAsync(http, StatusCodes.Status404NotFound, $"node {node} does not exist in Kubernetes; is nodeName right?").ConfigureAwait(false);
                return;
            }

            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            http.Response.ContentType = "application/x-ndjson";
            var epoch = http.Request.Query["epoch"].FirstOrDefault();
            var revision = long.TryParse(http.Request.Query["revision"].FirstOrDefault(), out var known) ? known : -1;
            await new NodeStream(publisher, node, AliveEvery).RunAsync(epoch, revision, http.Request.Query["digest"].FirstOrDefault(), http.Response.BodyWriter, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The agent went, or this controller does not lead any more: the end of the stream says all.
        }
    }

    private async Task ReportAsync(HttpContext http, string node)
    {
        if (await RefuseAsync(http, node).ConfigureAwait(false))
        {
            return;
        }

        try
        {
            http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = LongestReport;
            var report = await JsonSerializer.DeserializeAsync(http.Request.Body, TopologyJson.Default.NodeReport, http.RequestAborted).ConfigureAwait(false);
            if (report?.Node != node)
            {
                await AnswerAsync(http, StatusCodes.Status400BadRequest, $"the report is of node '{report?.Node}', not of '{node}'").ConfigureAwait(false);
                return;
            }

            reports.Set(report);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (JsonException e)
        {
            await AnswerAsync(http, StatusCodes.Status400BadRequest, $"the report cannot be read: {e.Path}: {e.Message}").ConfigureAwait(false);
        }
    }

    private async Task<bool> RefuseAsync(HttpContext http, string node)
    {
        if (!leadership.IsLeader)
        {
            // The next connection of the Service may lead to another controller, this one never will.
            http.Response.Headers.Connection = "close";
            var leader = leadership.Leader is { Length: > 0 } name ? name : "nobody yet";
            await AnswerAsync(http, StatusCodes.Status503ServiceUnavailable, $"this controller does not lead; the leader is {leader}").ConfigureAwait(false);
            return true;
        }

        var header = http.Request.Headers.Authorization.ToString();
        var token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : "";
        var answer = await authentication.CheckAsync(token, node, http.RequestAborted).ConfigureAwait(false);
        if (answer.IsAllowed)
        {
            return false;
        }

        await AnswerAsync(http, answer.Status, answer.Message).ConfigureAwait(false);
        return true;
    }

    private static Task AnswerAsync(HttpContext http, int status, string message)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(message + "\n", http.RequestAborted);
    }
}
