using System.Globalization;
using System.Text.RegularExpressions;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>Power may go at any moment: what the kernel is asked, in which order, when a pod gets its address (strace(1)).</summary>
public sealed partial class LeaseOrderTests
{
    [Test]
    public async Task The_disk_has_a_lease_before_anybody_is_answered()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        await using var bench = await CniBench.StartAsync();
        await using var tracer = ChildProcess.Start(
            "strace", ["-f", "-y", "-s", "200", "-e", "trace=pwrite64,fsync,fdatasync,sendto,sendmsg,write", "-o", trace, "-p", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await Eventually.True("strace attached", () => tracer.HasExited || tracer.Output.Contains("attached", StringComparison.Ordinal));
        Assume.That(tracer.HasExited, Is.False, $"this machine lets nobody trace: {tracer.Output}");
        for (var i = 0; i < 3; i++)
        {
            Assert.That((await bench.CallAsync("ADD", $"c{i}", pod: $"web{i}", netns: bench.Pod.Path)).ExitCode, Is.Zero);
            await bench.CallAsync("DEL", $"c{i}");
        }

        var answers = 0;
        await Eventually.True("the three answers in the trace", () => (answers = File.ReadLines(trace).Count(IsAnswer)) == 3);
        var (written, synced) = (0, 0);
        foreach (var line in File.ReadLines(trace))
        {
            written += line.Contains("leases.journal>", StringComparison.Ordinal) && line.Contains("pwrite64(", StringComparison.Ordinal) && line.Contains("give", StringComparison.Ordinal) ? 1 : 0;
            synced += Synced().IsMatch(line) ? 1 : 0;
            if (IsAnswer(line))
            {
                Assert.That(synced, Is.GreaterThanOrEqualTo(written), $"written and not yet on the disk when answered: {line}");
                Assert.That(written, Is.Positive);
            }
        }
    }

    // Of all that is sent, only the answer to ADD has interfaces.
    private static bool IsAnswer(string line) => line.Contains(" send", StringComparison.Ordinal) && line.Contains("interfaces", StringComparison.Ordinal);

    // The end of the call, whether or not another thread's line came between.
    [GeneratedRegex(@"(fsync|fdatasync)(\(\d+<[^>]*leases\.journal>| resumed>)\)\s+= 0")]
    private static partial Regex Synced();
}
