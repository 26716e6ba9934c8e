namespace Weft.Bench.PolicyBench;

/// <summary>What policies cost an agent and its switch, and how soon packets notice a change.</summary>
internal static class PolicyBenchmark
{
    public static async Task<int> RunAsync(string[] args)
    {
        // "scale", "check" or "delay" runs one part only.
        if (args is [] or ["scale"])
        {
            await PolicyScale.RunAsync();
        }

        if (args is [] or ["check"])
        {
            await PolicyCheck.RunAsync();
        }

        if (args is [] or ["delay"])
        {
            await PolicyDelay.RunAsync();
        }

        return 0;
    }
}
