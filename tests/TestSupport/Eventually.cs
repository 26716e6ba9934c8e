using System.Diagnostics;
using System.Globalization;

namespace Weft.TestSupport;

/// <summary>Waits for conditions instead of time.</summary>
/// <remarks>As for the lab, <c>WEFT_LAB_PATIENCE</c> multiplies every time-out on machines that are slow, such as emulated ones.</remarks>
public static class Eventually
{
    private static readonly double Factor = double.TryParse(Environment.GetEnvironmentVariable("WEFT_LAB_PATIENCE"), CultureInfo.InvariantCulture, out var factor) && factor > 0 ? factor : 1;

    /// <summary>Polls <paramref name="condition"/> until it holds.</summary>
    /// <param name="what">What was awaited, for the message when it did not come.</param>
    /// <param name="condition">True when there is nothing more to wait for. Exceptions count as "not yet"; the last one is reported.</param>
    /// <param name="timeout">10 s when not given.</param>
    /// <exception cref="TimeoutException">The condition did not hold in time; the message says what was missing.</exception>
    public static async Task True(string what, Func<Task<bool>> condition, TimeSpan? timeout = null)
    {
        var limit = (timeout ?? TimeSpan.FromSeconds(10)) * Factor;
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }

                last = null;
            }
            catch (Exception e) when (clock.Elapsed < limit)
            {
                last = e;
            }

            if (clock.Elapsed > limit)
            {
                throw new TimeoutException($"after {limit.TotalSeconds:0.#} s still missing: {what}", last);
            }

            await Task.Delay(10);
        }
    }

    /// <inheritdoc cref="True(string, Func{Task{bool}}, TimeSpan?)"/>
    public static Task True(string what, Func<bool> condition, TimeSpan? timeout = null) =>
        True(what, () => Task.FromResult(condition()), timeout);

    /// <summary>Polls until <paramref name="probe"/> returns something, and returns it.</summary>
    /// <exception cref="TimeoutException">Nothing came in time.</exception>
    public static async Task<T> Some<T>(string what, Func<Task<T?>> probe, TimeSpan? timeout = null)
        where T : class
    {
        T? found = null;
        await True(what, async () => (found = await probe()) is not null, timeout);
        return found!;
    }
}
