using System.Diagnostics;
using System.Globalization;
using Weft.OpenFlow.Fuzzing;

namespace Weft.Bench.OpenFlowBench;

/// <summary>The mutation fuzzer of the tests, ten million messages long.</summary>
internal static class FuzzBenchmark
{
    public static Task<int> RunAsync(string[] args)
    {
        var count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000_000;
        var clock = Stopwatch.StartNew();
        var workers = Math.Max(1, Environment.ProcessorCount);
        var findings = new List<string>();
        Parallel.For(0, workers, w =>
        {
            var fuzzer = new MessageFuzzer(seed: w + 1);
            var found = fuzzer.Run(count / workers);
            lock (findings)
            {
                findings.AddRange(found);
            }
        });
        foreach (var finding in findings.Take(10))
        {
            Console.Error.WriteLine(finding);
        }

        new Figure("openflow.fuzz_findings", findings.Count, null, "1").Print();
        new Figure("openflow.fuzz_messages_per_second", count / clock.Elapsed.TotalSeconds, null, "1/s").Print();
        return Task.FromResult(findings.Count == 0 ? 0 : 1);
    }
}
