using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Ctl.OpenFlow;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary><c>weftctl openflow decode --pcap</c>: captures of connections of our library, and damaged ones.</summary>
public sealed class CaptureTests
{
    private const int Piece = 700;

    [Test]
    public async Task Messages_of_two_connections_cut_by_segments_read_as_ofp_print_reads_them()
    {
        await using var database = await OvsdbServerProcess.StartAsync();
        await using var process = await VSwitchdProcess.StartAsync(database);
        var switchPort = FreePort();
        await database.VsctlAsync(wait: true, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure", "--", "set-controller", "br0", $"ptcp:{switchPort}:127.0.0.1");
        await using var relay = new RecordingRelay(switchPort);
        var file = Path.Combine(database.Folder, "capture.pcap");
        await using var tcpdump = ChildProcess.Start("tcpdump", ["-i", "lo", "-U", "-B", "65536", "--immediate-mode", "-Z", "root", "-w", file, "tcp", "port", $"{relay.Port}"]);
        await Eventually.True("tcpdump writes the header", () => File.Exists(file) && new FileInfo(file).Length >= 24);
        await Task.WhenAll(TalkAsync(relay.Port, 1), TalkAsync(relay.Port, 2));
        await relay.DisposeAsync();

        var theirs = new List<string>();
        foreach (var stream in relay.Streams)
        {
            theirs.AddRange(await PrintAsync(database.Folder, stream));
        }

        theirs.Sort(StringComparer.Ordinal);
        Assert.That(theirs, Has.Count.GreaterThan(1000).And.Some.StartsWith("ONFT_BUNDLE_ADD_MESSAGE").And.Some.StartsWith("OFPST_FLOW reply"));
        List<string> ours = [];
        await Eventually.True("the capture has all messages", () => (ours = Decoded(file)).Count >= theirs.Count);
        ours.Sort(StringComparer.Ordinal);
        Assert.That(ours, Is.EqualTo(theirs));

        // The same as text: one answer behind the other.
        var text = new StringWriter();
        Assert.That(PcapDecoder.Decode(File.OpenRead(file), [relay.Port], new LineWriter(text, TextWriter.Null, json: false)), Is.Zero);
        Assert.That(text.ToString().Split('\n').Order(StringComparer.Ordinal), Is.EqualTo(ours.SelectMany(t => t.Split('\n')).Append("").Order(StringComparer.Ordinal)));
    }

    [Test]
    public void Segments_out_of_order_and_sent_again_are_put_right()
    {
        var capture = new Capture();
        capture.Segment(100, Echo(1)[..5]).Segment(113, Echo(2)[5..]).Segment(108, Echo(2)[..5]).Segment(105, Echo(1)[5..]).Segment(100, Echo(1)).Segment(112, [Echo(2)[4], .. Echo(2)[5..], .. Echo(3)]);
        Assert.That(Decode(capture), Is.EqualTo(new[] { "1", "2", "3" }));
    }

    [Test]
    public void What_is_missing_is_told_and_the_rest_is_read()
    {
        var capture = new Capture();
        capture.Segment(100, Echo(1)).Segment(108, Echo(2)[..4]).Segment(118, Echo(3)[2..]).Segment(124, Echo(4));
        Assert.That(Decode(capture), Is.EqualTo(new[] { "1", "6 bytes of the connection are not in the capture (tcpdump -B makes its buffer larger)", "4" }));
    }

    [Test]
    public void Ports_that_are_used_again_are_another_connection() =>
        Assert.That(Decode(new Capture().Segment(4_000_000_000, Echo(1)).Segment(5, [], syn: true).Segment(6, Echo(2))), Is.EqualTo(new[] { "1", "2" }));

    [Test]
    public void A_capture_that_begins_or_ends_within_a_message_reads_what_is_whole() =>
        Assert.That(Decode(new Capture().Segment(1, Echo(1)[3..]).Segment(6, Echo(2)).Segment(14, Echo(3)[..6])), Is.EqualTo(new[] { "2", "the capture ends within a message: 6 bytes of it are there" }));

    [TestCase(276u, 20)]
    [TestCase(113u, 16)]
    [TestCase(101u, 0)]
    public void Captures_of_every_link_type_are_read(uint link, int header) => Assert.That(Decode(new Capture(link, header).Segment(1, Echo(7))), Is.EqualTo(new[] { "7" }));

    [Test]
    public void A_bad_capture_is_refused_with_the_reason()
    {
        var good = new Capture().Segment(1, Echo(1)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(Decode(good[..^3]), Is.EqualTo(new[] { "the file ends within a packet: it was cut, or is still written" }));
            Assert.That(Decode(good[..30]), Is.EqualTo(new[] { "the file ends within a packet: it was cut, or is still written" }));
            Assert.That(Decode(good[..10]).Single(), Does.Contain("not a pcap file"));
            Assert.That(Decode([0x0a, 0x0d, 0x0d, 0x0a, .. new byte[40]]).Single(), Does.Contain("editcap"));
            Assert.That(Decode(new Capture(147, 0).Segment(1, Echo(1))).Single(), Does.Contain("link type 147"));
            good[24 + 11] = 0x7f;
            Assert.That(Decode(good).Single(), Does.Contain("the file is damaged"));
        });
    }

    private static async Task TalkAsync(int port, byte table)
    {
        await using var connection = new OpenFlowSwitch(OpenFlowEndpoint.Parse($"tcp:127.0.0.1:{port}"));
        connection.Start();
        await connection.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(20));
        (await connection.ApplyAsync([.. Enumerable.Range(0, 700).Select(i => (OpenFlowMessage)FlowMod.Add(FlowText.Parse($"table={table},tcp,tp_dst={i},reg0={i} actions=set_field:{i}->reg1,ct(commit,zone=5),output:1")))])).ThrowIfFailed();
        Assert.That(await connection.DumpFlowsAsync(new FlowFilter(table)), Has.Count.EqualTo(700));
        await connection.DumpTableFeaturesAsync();
    }

    /// <summary>What ofp-print says of each message of a stream; a message of our own between them tells them apart.</summary>
    private static async Task<IEnumerable<string>> PrintAsync(string folder, byte[] stream)
    {
        var marker = new Echo(false, []).ToBytes(0xfe0f0e0d);
        var file = Path.Combine(folder, "stream");
        var messages = new List<byte>();
        for (int at = 0, length; at < stream.Length; at += length)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(stream.AsSpan(at + 2));
            messages.AddRange([.. stream.AsSpan(at, length), .. marker]);
        }

        await File.WriteAllBytesAsync(file, [.. messages]);
        var output = await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "ofp-parse", file]);
        return output.Split("OFPT_ECHO_REQUEST (OF1.3) (xid=0xfe0f0e0d): 0 bytes of payload\n")[..^1].Select(t => t.TrimEnd('\n'));
    }

    private static List<string> Decoded(string file)
    {
        using var stream = File.OpenRead(file);
        return Answers(stream).Select(a => (string?)a["text"] ?? (string)a["error"]!).ToList();
    }

    private static IEnumerable<JsonNode> Answers(Stream capture)
    {
        var output = new StringWriter();
        PcapDecoder.Decode(capture, [6653], new LineWriter(output, TextWriter.Null, json: true));
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!);
    }

    private static string[] Decode(Capture capture) => Decode(capture.ToArray());

    /// <summary>The transaction ids of echo requests, and errors.</summary>
    private static string[] Decode(byte[] capture) =>
        [.. Answers(new MemoryStream(capture)).Select(a => (string?)a["error"] ?? ((string)a["text"]!).Split("(xid=0x")[1].Split(')')[0])];

    private static byte[] Echo(uint xid) => new Echo(false, []).ToBytes(xid);

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    /// <summary>A pcap file of one direction of a connection to port 6653.</summary>
    private sealed class Capture
    {
        private readonly MemoryStream _file = new();
        private readonly int _linkHeader;

        public Capture(uint link = 1, int linkHeader = 14)
        {
            _linkHeader = linkHeader;
            foreach (var word in (uint[])[0xa1b2c3d4, 0x00040002, 0, 0, 262_144, link])
            {
                _file.Write(BitConverter.GetBytes(word));
            }
        }

        public Capture Segment(uint sequence, byte[] payload, bool syn = false)
        {
            var packet = new byte[_linkHeader + 40 + payload.Length];
            var ip = packet.AsSpan(_linkHeader);
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(40 + payload.Length));
            ip[9] = 6;
            BinaryPrimitives.WriteUInt16BigEndian(ip[20..], 40_000);
            BinaryPrimitives.WriteUInt16BigEndian(ip[22..], 6653);
            BinaryPrimitives.WriteUInt32BigEndian(ip[24..], sequence);
            ip[32] = 0x50;
            ip[33] = syn ? (byte)2 : (byte)0x18;
            payload.CopyTo(ip[40..]);
            foreach (var word in (int[])[0, 0, packet.Length, packet.Length])
            {
                _file.Write(BitConverter.GetBytes(word));
            }

            _file.Write(packet);
            return this;
        }

        public byte[] ToArray() => _file.ToArray();
    }

    /// <summary>Stands before a switch, passes everything on in small pieces, and keeps both directions of each connection.</summary>
    private sealed class RecordingRelay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<MemoryStream> _streams = [];
        private readonly Task _serving;

        public RecordingRelay(int target)
        {
            _listener.Start();
            _serving = ServeAsync(target);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public IEnumerable<byte[]> Streams => _streams.Select(s => s.ToArray());

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync(int target)
        {
            var pumps = new List<Task>();
            while (true)
            {
                TcpClient client;
                try
                {
                    client = await _listener.AcceptTcpClientAsync();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    break;
                }

                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                await server.ConnectAsync(IPAddress.Loopback, target);
                pumps.Add(PumpAsync(client, server));
                pumps.Add(PumpAsync(server, client));
            }

            await Task.WhenAll(pumps);
        }

        private async Task PumpAsync(TcpClient from, TcpClient to)
        {
            var kept = new MemoryStream();
            lock (_streams)
            {
                _streams.Add(kept);
            }

            var buffer = new byte[65536];
            try
            {
                for (int got; (got = await from.GetStream().ReadAsync(buffer)) > 0;)
                {
                    kept.Write(buffer.AsSpan(0, got));
                    for (var at = 0; at < got; at += Piece)
                    {
                        await to.GetStream().WriteAsync(buffer.AsMemory(at, Math.Min(Piece, got - at)));
                    }
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The other side is gone, and what it did not read is not in the capture either.
            }

            from.Dispose();
            to.Dispose();
        }
    }
}
