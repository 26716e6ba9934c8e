using System.Buffers;
using Weft.Lab.Kubelet;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>SPDY/3.1 as kubectl's port-forward speaks it. That kubectl understands the answers: <c>TenantTests</c> of Lab.Tests.</summary>
public sealed class SpdyTests
{
    // zlib with the protocol's dictionary, two blocks of one stream, as Python's zlib writes them: the second refers to the first.
    private const string ErrorStream = "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c6061606100a4398b20d198094ade8c0600000000ffff";
    private const string DataStream = "c2aa19540e2512d60b000000ffff";
    private const string FirstReply = "8003000200000018000000017820e3c6a7c2000400fbff00000000000000ffff";

    [Test]
    public async Task Streams_are_opened_filled_and_answered()
    {
        var (streams, answers) = await TalkAsync(
            SynStream(1, ErrorStream, fin: true) + SynStream(3, DataStream) + Data(3, "68690a") + Control(9, "0000000300001000") + Control(6, "00000001") + Control(6, "00000002")
            + Data(77, "00") + Data(3, "0a", fin: true) + Control(7, "0000000000000000"));
        Assert.That(streams.Select(s => string.Join(' ', s.Headers.Select(h => $"{h.Key}={h.Value}"))), Is.EqualTo(new[]
        {
            "streamtype=error port=8080 requestid=0", "streamtype=data port=8080 requestid=0",
        }));
        Assert.That(await ReadAsync(streams[0]), Is.Empty);
        Assert.That(await ReadAsync(streams[1]), Is.EqualTo("68690A0A"));
        Assert.That(answers, Is.EqualTo((FirstReply + "800300020000001200000003" + "000400fbff00000000000000ffff" + "800300060000000400000001").ToUpperInvariant()),
            "two replies, and the answer to the client's own ping");
    }

    [Test]
    public async Task A_stream_that_is_given_up_ends_with_an_error_whoever_gives_up()
    {
        var (reset, _) = await TalkAsync(SynStream(1, ErrorStream) + Control(3, "0000000100000005") + Control(3, "0000000100000005") + Control(7, "0000000000000000"));
        var (cut, _) = await TalkAsync(SynStream(1, ErrorStream));
        foreach (var stream in reset.Concat(cut))
        {
            Assert.That(async () => await stream.Input.ReadAsync(), Throws.InstanceOf<IOException>());
        }
    }

    [TestCase("8002000100000000", "a frame of version 2")]
    [TestCase("0000000100200000", "a frame of 2097152 bytes")]
    [TestCase("800300010000000400000001", "SynStream of 4 bytes")]
    [TestCase("80030001000000100000000100000000000078bb00000000", "the first header block does not begin as a zlib stream with the dictionary")]
    [TestCase("80030001000000100000000100000000000078f9e3c6a7c2", "a header block is cut short")]
    public void What_is_no_SPDY_is_refused_in_words(string sent, string words) =>
        Assert.That(() => TalkAsync(sent), Throws.TypeOf<InvalidDataException>().With.Message.Contains(words));

    [Test]
    public void A_connection_that_breaks_in_a_frame_is_an_error() =>
        Assert.That(() => TalkAsync("0000000100000005" + "00"), Throws.InstanceOf<IOException>());

    private static string SynStream(int id, string headers, bool fin = false) => $"80030001{(fin ? "01" : "00")}{10 + (headers.Length / 2):x6}{id:x8}000000000000{headers}";

    private static string Data(int id, string data, bool fin = false) => $"{id:x8}{(fin ? "01" : "00")}{data.Length / 2:x6}{data}";

    private static string Control(int type, string body) => $"8003{type:x4}{body.Length / 2:x8}{body}";

    private static async Task<string> ReadAsync(SpdyStream stream) =>
        await stream.Input.ReadAtLeastAsync(int.MaxValue) is { IsCompleted: true } read ? Convert.ToHexString([.. read.Buffer.ToArray()]) : "not complete";

    private static async Task<(List<SpdyStream> Streams, string Answers)> TalkAsync(string sent)
    {
        var streams = new List<SpdyStream>();
        var wire = new Wire(Convert.FromHexString(sent));
        using var connection = new SpdyConnection(wire);
        await connection.RunAsync(streams.Add, CancellationToken.None);
        return (streams, Convert.ToHexString(wire.Answers.ToArray()));
    }

    /// <summary>What the client sent, and what it gets.</summary>
    private sealed class Wire(byte[] sent) : MemoryStream(sent)
    {
        public MemoryStream Answers { get; } = new();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Answers.WriteAsync(buffer, cancellationToken);
    }
}
