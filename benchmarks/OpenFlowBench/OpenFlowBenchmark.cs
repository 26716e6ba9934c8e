using System.Diagnostics;
using System.Net.Sockets;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;
using Weft.TestSupport;
using Fields = Weft.OpenFlow.Fields.Fields;

namespace Weft.Bench.OpenFlowBench;

/// <summary>Installing and dumping 100,000 flows against ovs-ofctl on one real switch, and the codec by itself.</summary>
internal static class OpenFlowBenchmark
{
    private const int Count = 100_000;
    private const int Rounds = 5;

    public static async Task<int> RunAsync(string[] args)
    {
        _ = args;
        var flows = MakeFlows();
        CodecBenchmark.Run(flows);
        await using var database = await OvsdbServerProcess.StartAsync();
        await using var process = await VSwitchdProcess.StartAsync(database);
        await database.VsctlAsync(wait: true, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure");
        var endpoint = OpenFlowEndpoint.Unix(process.ManagementSocket("br0"));
        await using var connection = new OpenFlowSwitch(endpoint);
        connection.Start();
        await connection.WaitForLiveAsync();
        var texts = Path.Combine(database.Folder, "flows.txt");
        await File.WriteAllLinesAsync(texts, flows.Select(f => FlowText.Format(f)));
        var mods = flows.Select(f => (OpenFlowMessage)FlowMod.Add(f)).ToArray();
        var encoded = Preencoded(mods);

        await new InstallBenchmark(connection, process).RunAsync(
        [
            new("ours", async () => (await connection.ApplyAsync(mods)).ThrowIfFailed()),
            new("replay", () => ReplayAsync(process.ManagementSocket("br0"), encoded)),
            new("ovs-ofctl", () => OfctlAsync(database, "--bundle", "add-flows", "br0", texts)),
        ]);
        await DumpAsync(connection, database, mods);
        return 0;
    }

    private static async Task DumpAsync(OpenFlowSwitch connection, OvsdbServerProcess database, OpenFlowMessage[] mods)
    {
        (await connection.ApplyAsync(mods)).ThrowIfFailed();
        var ours = new List<double>();
        var peer = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var dumped = await connection.DumpFlowsAsync();
            var o = clock.Elapsed.TotalSeconds;
            if (dumped.Count != Count)
            {
                throw new InvalidOperationException($"{dumped.Count} flows dumped");
            }

            clock.Restart();
            await OfctlAsync(database, "dump-flows", "br0");
            if (round > 0)
            {
                ours.Add(o);
                peer.Add(clock.Elapsed.TotalSeconds);
            }
        }

        new Figure("openflow.dump_100k_flows_vs_ovs_ofctl", InstallBenchmark.Median(ours), InstallBenchmark.Median(peer), "s").Print();
    }

    /// <summary>What an agent installs: a mix of pod, policy and service flows.</summary>
    internal static Flow[] MakeFlows()
    {
        var flows = new Flow[Count];
        for (var i = 0; i < Count; i++)
        {
            var address = new System.Net.IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i]);
            flows[i] = new Flow(
                (byte)(i % 10),
                (ushort)(100 + (i % 7)),
                Match.Of(Fields.EthType.Is(0x0800), Fields.Metadata.Is(1), Fields.IPv4Dst.Is(address), Fields.IpProto.Is(6), Fields.TcpDst.Is((ushort)(i % 1000))),
                FlowInstructions.Of(Fields.Reg0[0..15].Load((uint)i & 0xffff), Fields.EthDst.Set(new MacAddress((ulong)i)), new GotoTable(20)))
            {
                Cookie = 0x5eed000000000000UL | (uint)i,
            };
        }

        return flows;
    }

    private static Task OfctlAsync(OvsdbServerProcess database, params string[] arguments)
    {
        var start = new ProcessStartInfo("sh") { RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec ovs-ofctl -O OpenFlow13 {string.Join(' ', arguments)} > /dev/null");
        foreach (var (key, value) in database.Environment)
        {
            start.Environment[key] = value;
        }

        var program = Process.Start(start) ?? throw new InvalidOperationException("ovs-ofctl did not start");
        return program.WaitForExitAsync();
    }

    /// <summary>Hello, bundle open, all members, commit: bytes that only need to be written.</summary>
    private static byte[] Preencoded(OpenFlowMessage[] mods)
    {
        using var bytes = new MemoryStream();
        bytes.Write(new Hello(4, 1 << 4).ToBytes(1));
        bytes.Write(new BundleControl(7, BundleControlType.OpenRequest, 3).ToBytes(2));
        uint xid = 3;
        foreach (var mod in mods)
        {
            var inner = mod.ToBytes(xid);
            var member = new ExperimenterMessage(0x4f4e4600, 2301, [0, 0, 0, 7, 0, 0, 0, 3, .. inner]);
            bytes.Write(member.ToBytes(xid++));
        }

        bytes.Write(new BundleControl(7, BundleControlType.CommitRequest, 3).ToBytes(xid));
        return bytes.ToArray();
    }

    private static async Task ReplayAsync(string socketPath, byte[] encoded)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        await using var stream = new NetworkStream(socket);
        var reading = ReadCommitAsync(stream);
        await stream.WriteAsync(encoded);
        await reading;
    }

    private static async Task ReadCommitAsync(NetworkStream stream)
    {
        var buffer = new byte[65536];
        var held = 0;
        while (true)
        {
            var got = await stream.ReadAsync(buffer.AsMemory(held));
            held += got;
            var used = 0;
            for (int length; (length = FrameCutter.TryCut(buffer.AsSpan(used, held - used))) > 0; used += length)
            {
                switch (MessageCodec.Decode(buffer.AsSpan(used, length), out _))
                {
                    case BundleControl { Control: BundleControlType.CommitReply }: return;
                    case ErrorMessage error: throw new InvalidOperationException(error.Name);
                }
            }

            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
            if (got == 0)
            {
                throw new InvalidOperationException("the switch closed the replay");
            }
        }
    }
}
