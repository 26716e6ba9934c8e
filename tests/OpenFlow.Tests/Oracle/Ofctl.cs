using Weft.OpenFlow.Messages;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>The installed ovs-ofctl, asked about many messages in one run.</summary>
internal static class Ofctl
{
    // An echo of this xid stands between messages, so that each answer is told from the next.
    private const uint Marker = 0xfe0f0e0d;
    private static readonly string MarkerText = $"OFPT_ECHO_REQUEST (OF1.3) (xid=0x{Marker:x}): 0 bytes of payload\n";

    /// <summary>What it prints of each message, without blanks at the end. The length in each header must be right.</summary>
    public static async Task<List<string>> PrintAsync(IReadOnlyCollection<byte[]> frames)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "messages");
        await using (var stream = File.Create(file))
        {
            foreach (var frame in frames)
            {
                stream.Write(frame);
                stream.Write(new Echo(false, []).ToBytes(Marker));
            }
        }

        var output = await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "ofp-parse", file]);
        var answers = output.Split(MarkerText)[..^1].Select(a => a.TrimEnd()).ToList();
        return answers.Count == frames.Count ? answers : throw new InvalidOperationException($"{answers.Count} answers to {frames.Count} messages");
    }
}
