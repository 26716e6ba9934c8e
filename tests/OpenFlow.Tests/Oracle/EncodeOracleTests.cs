using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.TestSupport;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Texts become the very bytes that ovs-ofctl sends for them.</summary>
public sealed class EncodeOracleTests
{
    private static readonly int Count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 50_000 : 6_000;

    [Test]
    public async Task Flows_as_written_are_the_bytes_that_ovs_ofctl_sends() => await CompareAsync("add-flows", [.. Samples.Flows, .. NastyTexts.Flows]);

    [Test]
    public async Task Generated_flows_are_the_bytes_that_ovs_ofctl_sends()
    {
        var generator = new CaseGenerator(31);
        await CompareAsync("add-flows", [.. Enumerable.Range(0, Count).Select(generator.Next).Where(f => !IsMaskedByItself(f)).Select(f => FlowText.Format(f).Replace(",gtpu_", ",tun_gtpu_", StringComparison.Ordinal))]);
    }

    /// <summary>Open vSwitch 3.1 sends the value of these fields in place of the mask (nxm_put_8m with wrong arguments in nx_put_raw).</summary>
    private static bool IsMaskedByItself(Flow flow) => flow.Match.ToArray().Any(c => c.Field == F.TunErspanVer || c.Field == F.TunErspanDir || c.Field == F.TunErspanHwid || c.Field == F.TunGtpuFlags || c.Field == F.TunGtpuMsgtype);

    [Test]
    public async Task Groups_are_the_bytes_that_ovs_ofctl_sends() => await CompareAsync("add-groups", NastyTexts.Groups);

    [Test]
    public async Task Meters_are_the_bytes_that_ovs_ofctl_sends()
    {
        var theirs = new List<byte[]>();
        foreach (var meter in NastyTexts.Meters)
        {
            theirs.AddRange(await RecordingPeer.RecordAsync("add-meter", meter));
        }

        Compare(NastyTexts.Meters, theirs);
    }

    [TestCaseSource(typeof(NastyTexts), nameof(NastyTexts.Wrong))]
    public async Task What_ovs_ofctl_refuses_is_refused(string text)
    {
        var command = text.StartsWith("group", StringComparison.Ordinal) ? "add-group" : text.StartsWith("meter", StringComparison.Ordinal) ? "add-meter" : "add-flow";
        Assert.That(async () => await RecordingPeer.RecordAsync(command, text), Throws.InvalidOperationException, "the oracle takes it");
        Assert.That(() => ModText.Parse(text), Throws.TypeOf<OpenFlowTextException>());
    }

    [TestCaseSource(typeof(NastyTexts), nameof(NastyTexts.Stricter))]
    public void What_ovs_ofctl_sends_in_vain_is_refused(string text) => Assert.That(() => ModText.Parse(text), Throws.TypeOf<OpenFlowTextException>());

    private static async Task CompareAsync(string command, IReadOnlyList<string> texts) => Compare(texts, await RecordingPeer.RecordLinesAsync(command, texts));

    private static void Compare(IReadOnlyList<string> texts, List<byte[]> theirs)
    {
        Assert.That(theirs, Has.Count.EqualTo(texts.Count), "one message for each text");
        var different = texts.Zip(theirs).Select(p => (Text: p.First, Ours: Encoded(p.First), Theirs: Convert.ToHexString(p.Second.AsSpan(8)))).Where(p => p.Ours != p.Theirs).ToList();
        if (Environment.GetEnvironmentVariable("WEFT_ENCODE_FILE") is { } file)
        {
            File.AppendAllLines(file, different.Select(d => $"{d.Text}\n  {d.Ours}\n  {d.Theirs}"));
        }

        Assert.That(different, Is.Empty, $"{different.Count} differ:\n" + string.Join('\n', different.Take(10).Select(d => $"{d.Text}\n  {d.Ours}\n  {d.Theirs}")));
    }

    /// <summary>Without the header: xids are everyone's own.</summary>
    private static string Encoded(string text)
    {
        try
        {
            return Convert.ToHexString(ModText.Parse(text).ToBytes(0).AsSpan(8));
        }
        catch (OpenFlowTextException e)
        {
            return e.Message;
        }
    }
}
