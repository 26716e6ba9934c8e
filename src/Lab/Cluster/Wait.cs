using System.Diagnostics;
using Weft.Lab.Net;

namespace Weft.Lab.Cluster;

/// <summary>Waits for conditions.</summary>
internal static class Wait
{
    /// <summary>Looks every 20 ms until <paramref name="ready"/> holds.</summary>
    /// <exception cref="LabException">It did not in time: <paramref name="complaint"/> and what <paramref name="evidence"/> says.</exception>
    public static Task UntilAsync(string complaint, Func<bool> ready, Func<string> evidence, TimeSpan patience, CancellationToken ct) =>
        UntilAsync(complaint, () => Task.FromResult(ready()), evidence, patience, ct);

    /// <inheritdoc cref="UntilAsync(string, Func{bool}, Func{string}, TimeSpan, CancellationToken)"/>
    public static async Task UntilAsync(
        string complaint, Func<Task<bool>> ready, Func<string> evidence, TimeSpan patience, CancellationToken ct)
    {
        patience *= Slowness.Factor;
        var begun = Stopwatch.GetTimestamp();
        while (!await ready())
        {
            if (Stopwatch.GetElapsedTime(begun) > patience)
            {
                throw new LabException($"{complaint} after {patience.TotalSeconds:0} s:\n{evidence()}");
            }

            await Task.Delay(20, ct);
        }
    }
}
