using Weft.OpenFlow.Fuzzing;
using Weft.OpenFlow.Text;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Damaged messages print as ovs-ofctl ofp-print prints them, errors and all.</summary>
public sealed class MutantOracleTests
{
    private const int Bounded = 20_000;
    private const int MostDifferentIn = 1000;
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("WEFT_MUTANTS"), out var count) ? count
        : Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 200_000 : Bounded;

    [Test]
    public async Task Damaged_messages_print_as_ovs_ofctl_prints_them()
    {
        var fuzzer = new MessageFuzzer(int.TryParse(Environment.GetEnvironmentVariable("WEFT_SEED"), out var seed) ? seed : 5);
        var frames = Enumerable.Range(0, Count).Select(_ => fuzzer.Next(keepLength: true)).Where(f => f[0] == 4).ToList();
        var theirs = await Ofctl.PrintAsync(frames);
        var different = frames.Zip(theirs).Select(p => (Frame: p.First, Ours: MessageText.Format(p.First).TrimEnd(), Theirs: p.Second))
            .Where(p => p.Ours != p.Theirs && !IsExcepted(p.Ours, p.Theirs)).ToList();
        if (Environment.GetEnvironmentVariable("WEFT_MUTANT_FILE") is { } file)
        {
            await File.WriteAllLinesAsync(file, different.Select(d => $"{Convert.ToHexString(d.Frame)}\n--- ours\n{d.Ours}\n--- theirs\n{d.Theirs}\n========"));
        }

        // The bounded run is always the same and has none; longer ones find what one in some thousands is different in.
        Assert.That(different, Has.Count.LessThanOrEqualTo(Count == Bounded ? 0 : frames.Count / MostDifferentIn), $"{different.Count} of {frames.Count} differ:\n" + string.Join('\n', different.Take(5).Select(d => $"{Convert.ToHexString(d.Frame)}\nours:\n{d.Ours}\ntheirs:\n{d.Theirs}\n")));
    }

    /// <summary>What is different on purpose; each line says why.</summary>
    private static bool IsExcepted(string ours, string theirs)
    {
        // Which of the two errors an unknown field of set_field is depends on what shares its slot in a hash table of ovs-ofctl (nxm_field_by_header).
        var unknownField = theirs.Replace("OFPBAC_BAD_SET_LEN", "OFPBAC_BAD_SET_TYPE", StringComparison.Ordinal) == ours.Replace("OFPBAC_BAD_SET_LEN", "OFPBAC_BAD_SET_TYPE", StringComparison.Ordinal);

        return unknownField;
    }
}
