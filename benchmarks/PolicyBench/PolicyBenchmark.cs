namespace Weft.Bench.PolicyBench;

/// <summary>What policies cost an agent and its switch, and how soon packets notice a change.</summary>
internal static class PolicyBenchmark
{
    public static async Task<int> RunAsync(string[] args)
    {
        // "scale" or "delay" runs one part only.
        if (args is not ["delay"])
        {
            await PolicyScale.RunAsync();
        }

        if (args is not ["scale"])
        {
            await PolicyDelay.RunAsync();
        }

        return 0;
    }
}
