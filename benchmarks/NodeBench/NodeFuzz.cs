using System.Diagnostics;
using Weft.Agent.Tests.Fuzzing;

namespace Weft.Bench.NodeBench;

/// <summary>The tests' fuzzers of what an agent is told from outside: CNI requests, lines of the node stream, DNS packets.</summary>
internal static class NodeFuzz
{
    /// <summary>Runs so many of each.</summary>
    /// <returns>The number of findings, which are printed on standard error.</returns>
    public static async Task<int> RunAsync(int count)
    {
        var findings = await RunAsync("cni_requests", count, async (seed, part) => await new CniFuzzer(seed).RunAsync(part));
        findings += await RunAsync("node_frames", count, (seed, part) => Task.FromResult(new FrameFuzzer(seed).Run(part)));
        return findings + await RunAsync("dns_packets", count, (seed, part) => Task.FromResult(new DnsFuzzer(seed).Run(part)));
    }

    private static async Task<int> RunAsync(string what, int count, Func<int, int, Task<List<string>>> run)
    {
        var clock = Stopwatch.StartNew();
        var workers = Math.Max(1, Environment.ProcessorCount);
        var found = (await Task.WhenAll(Enumerable.Range(1, workers).Select(seed => Task.Run(() => run(seed, count / workers))))).SelectMany(f => f).ToList();
        foreach (var finding in found.Take(10))
        {
            Console.Error.WriteLine(finding);
        }

        new Figure($"node.fuzz_findings.{what}", found.Count, null, "1").Print();
        new Figure($"node.fuzz_{what}", count / workers * workers, null, "1").Print();
        new Figure($"node.fuzz_{what}_per_second", count / clock.Elapsed.TotalSeconds, null, "1/s").Print();
        return found.Count;
    }
}
