using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Weft.Lab.ApiServer;

/// <summary>Whole answers.</summary>
public static class Responses
{
    public static Task WriteAsync(HttpContext http, int code, JsonNode body, string contentType = "application/json") =>
        WriteAsync(http, code, Json.ToBytes(body), contentType);

    public static async Task WriteAsync(HttpContext http, int code, ReadOnlyMemory<byte> body, string contentType = "application/json")
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>Sends the refusal if the answer has not begun yet.</summary>
    public static async Task WriteAsync(HttpContext http, ApiException refusal)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        if (refusal.Details.Integer("retryAfterSeconds") is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await WriteAsync(http, refusal.Code, refusal.ToStatus());
    }

    /// <summary>RFC 7234 warning headers, which kubectl shows.</summary>
    public static void Warn(HttpContext http, WriteOptions options)
    {
        foreach (var warning in options.Warnings)
        {
            http.Response.Headers.Append("Warning", $"299 - \"{warning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        }
    }
}
