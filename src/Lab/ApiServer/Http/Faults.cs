using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Weft.Lab.ApiServer;

/// <summary>Misbehaviour on order, for tests of clients: <c>POST /private/faults/...</c> on the unix socket only.</summary>
/// <remarks><c>close-watches</c>; <c>compact</c> (history and page tokens); <c>fail?code=429&amp;count=5&amp;retryAfter=1&amp;path=/api/v1/pods&amp;method=GET</c>;
/// <c>delay?ms=500&amp;count=3&amp;path=...</c>; <c>clear</c>.</remarks>
public sealed class Faults
{
    private readonly ConcurrentQueue<Planned> _planned = new();
    private CancellationTokenSource _watches = new();

    /// <summary>Cancelled when the watches that are open now shall end.</summary>
    public CancellationToken WatchesClose => Volatile.Read(ref _watches).Token;

    /// <summary>Carries out an order.</summary>
    /// <returns>False when the path is none.</returns>
    public async Task<bool> OrderAsync(HttpContext http, Action compact)
    {
        int Number(string name, int otherwise) =>
            int.TryParse(http.Request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : otherwise;
        switch (http.Request.Path.Value)
        {
            case "/private/faults/close-watches":
                await CloseWatchesAsync();
                break;
            case "/private/faults/compact":
                compact();
                break;
            case "/private/faults/fail":
                Plan(new Planned(http.Request.Query["path"].ToString(), http.Request.Query["method"].ToString(), Number("code", 500), Number("retryAfter", 0), TimeSpan.Zero, Number("count", 1)));
                break;
            case "/private/faults/delay":
                Plan(new Planned(http.Request.Query["path"].ToString(), http.Request.Query["method"].ToString(), 0, 0, TimeSpan.FromMilliseconds(Number("ms", 100)), Number("count", 1)));
                break;
            case "/private/faults/clear":
                _planned.Clear();
                break;
            default:
                return false;
        }

        await Responses.WriteAsync(http, 200, new JsonObject { ["planned"] = _planned.Count });
        return true;
    }

    /// <summary>Lets the request fail or wait if that was ordered for its path.</summary>
    /// <exception cref="ApiException">The ordered failure.</exception>
    public async Task MeetAsync(HttpContext http)
    {
        if (_planned.IsEmpty)
        {
            return;
        }

        foreach (var plan in _planned)
        {
            if (!(http.Request.Path.Value ?? "").StartsWith(plan.Path, StringComparison.Ordinal)
                || (plan.Method.Length > 0 && plan.Method != http.Request.Method) || !plan.Take())
            {
                continue;
            }

            if (plan.Code == 0)
            {
                await Task.Delay(plan.Delay, http.RequestAborted);
                continue;
            }

            throw new ApiException(plan.Code, plan.Code == 429 ? "TooManyRequests" : "InternalError",
                plan.Code == 429 ? "Too many requests, please try again later." : "a failure that a test ordered",
                plan.RetryAfter > 0 ? new JsonObject { ["retryAfterSeconds"] = plan.RetryAfter } : null);
        }
    }

    public async Task CloseWatchesAsync()
    {
        using var old = Interlocked.Exchange(ref _watches, new CancellationTokenSource());
        await old.CancelAsync();
    }

    private void Plan(Planned planned) => _planned.Enqueue(planned);

    private sealed record Planned(string Path, string Method, int Code, int RetryAfter, TimeSpan Delay, int Count)
    {
        private int _left = Count;

        public bool Take() => Interlocked.Decrement(ref _left) >= 0;
    }
}
