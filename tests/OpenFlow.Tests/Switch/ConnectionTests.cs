using System.Net.Sockets;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>What a connection does when the other side pauses, dies, or is slow.</summary>
public sealed class ConnectionTests
{
    [Test]
    public async Task A_paused_packet_goes_on_when_it_is_resumed()
    {
        await using var real = await RealSwitch.StartAsync();
        (await real.Connection.ApplyAsync([
            FlowMod.Add(FlowText.Parse("table=0,in_port=1 actions=set_field:7->reg1,controller(pause,userdata=09),resubmit(,1)")),
            FlowMod.Add(FlowText.Parse("table=1,reg1=7 actions=output:2"))])).ThrowIfFailed();
        var paused = new TaskCompletionSource<PacketIn>(TaskCreationOptions.RunContinuationsAsynchronously);
        real.Connection.PacketIn += packet => paused.TrySetResult(packet);
        var packet = Convert.FromHexString("ffffffffffff0000000000010806000108000604000100000000000" + "10a000001" + "0000000000000a000002");
        await real.Connection.SendPacketAsync(packet, ActionList.Of(new Output(Ports.Table)), inPort: 1);
        var stopped = await paused.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(await PacketsAsync(real), Is.Zero, "it waits");
        Assert.That((stopped.Continuation.IsEmpty, stopped.UserData.ToArray()), Is.EqualTo((false, new byte[] { 9 })));

        await real.Connection.ResumeAsync(stopped);
        await Eventually.True("the second table sees it", async () => await PacketsAsync(real) == 1);
    }

    [Test]
    public async Task A_peer_that_does_not_answer_echo_requests_is_dead()
    {
        await using var pair = await SilentPeer.StartAsync();
        await using var connection = await OpenFlowConnection.OpenAsync(pair.Stream, new OpenFlowOptions { ProbeInterval = TimeSpan.FromMilliseconds(100) });
        var reason = await connection.Ended.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(reason, Is.TypeOf<OpenFlowConnectionException>().With.Message.Contains("does not answer echo requests"));
        Assert.That(async () => await connection.BarrierAsync(), Throws.TypeOf<OpenFlowConnectionException>());
    }

    [Test]
    public async Task A_peer_that_does_not_read_holds_the_sender_back_and_costs_no_memory()
    {
        await using var pair = await SilentPeer.StartAsync();
        await using var connection = await OpenFlowConnection.OpenAsync(pair.Stream, new OpenFlowOptions { ProbeInterval = TimeSpan.FromMinutes(1) });
        var message = new PacketOut(Ports.Controller, default, new byte[60_000]);
        var messages = Enumerable.Repeat<OpenFlowMessage>(message, 10_000).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var sending = connection.SendAsync(messages);
        var sent = -1L;
        await Eventually.True("the socket is full", () => sent == (sent = pair.Unread) && sent > 0);
        Assert.That(sending.IsCompleted, Is.False, "600 MB are not sent to nobody");
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(20_000_000), "nor kept");
        await connection.DisposeAsync();
        Assert.That(async () => await sending, Throws.TypeOf<OpenFlowConnectionException>());
    }

    [Test]
    public async Task A_switch_without_bundles_is_named_though_all_of_the_bundle_was_sent_at_once()
    {
        await using var pair = await SilentPeer.StartAsync(refuses: true);
        await using var connection = await OpenFlowConnection.OpenAsync(pair.Stream, new OpenFlowOptions { ProbeInterval = TimeSpan.FromMinutes(1) });
        var flow = FlowMod.Add(FlowText.Parse("actions=drop"));
        Assert.That(async () => await connection.CommitAsync([flow, flow]).WaitAsync(TimeSpan.FromSeconds(10)),
            Throws.TypeOf<OpenFlowErrorException>().With.Message.Contains(nameof(BundleControl)));
        Assert.That(async () => await connection.CommitAsync([flow]).WaitAsync(TimeSpan.FromSeconds(10)), Throws.TypeOf<OpenFlowErrorException>(), "nothing of the first waits");
    }

    [Test]
    public async Task A_slow_reader_of_events_holds_the_switch_back_and_loses_none()
    {
        const int Count = 2000;
        await using var real = await RealSwitch.StartAsync();
        (await real.Connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=0,in_port=1 actions=controller"))])).ThrowIfFailed();
        using var gate = new ManualResetEventSlim();
        var seen = 0;
        real.Connection.PacketIn += _ =>
        {
            gate.Wait(TimeSpan.FromSeconds(30));
            Interlocked.Increment(ref seen);
        };
        var second = new OpenFlowSwitch(real.Endpoint);
        await using (second)
        {
            second.Start();
            await second.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(10));
            for (var i = 0; i < Count; i++)
            {
                await second.SendPacketAsync(new byte[64], ActionList.Of(new Output(Ports.Table)), inPort: 1);
            }

            await second.BarrierAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }

        Assert.That(Volatile.Read(ref seen), Is.Zero);
        gate.Set();

        // The switch itself keeps a bounded number for a controller that does not read; what it sent is not lost here.
        await Eventually.True("events follow when the reader goes on", () => Volatile.Read(ref seen) >= 100);
        await real.Connection.BarrierAsync();
    }

    [Test]
    public async Task Table_features_are_as_ovs_ofctl_tells_them()
    {
        await using var real = await RealSwitch.StartAsync();
        var tables = await real.Connection.DumpTableFeaturesAsync();
        Assert.That(tables, Has.Length.EqualTo(254));
        Assert.That(tables[0].MaxEntries, Is.EqualTo(1_000_000));
        Assert.That(tables[0].Flows.ApplyFields, Does.Contain(Fields.Fields.Reg0).And.Contain(Fields.Fields.EthDst).And.Not.Contain(Fields.Fields.EthType));
        Assert.That(tables[0].Match.Single(m => m.Field == Fields.Fields.EthType), Is.EqualTo(new TableField(Fields.Fields.EthType, IsMaskable: false, IsOptional: true)));
        Assert.That(tables[^1].Flows.NextTables, Is.Empty);

        // What was read, written again, prints as ovs-ofctl prints the switch's own.
        var written = new Multipart(true, MultipartType.TableFeatures, false, MultipartBodies.WriteTableFeatures([.. tables.Take(10)]));
        Assert.That(MultipartBodies.ReadTableFeatures(written.Body.Span), Is.EqualTo(tables.Take(10)));
        var printed = MessageText.Format(written.ToBytes(1));
        var theirs = (await real.OfctlAsync("dump-table-features", "br0")).Split("\n\n")[0].Trim();
        Assert.That(printed, Does.Contain(theirs));
    }

    private static async Task<ulong> PacketsAsync(RealSwitch real) => (await real.Connection.DumpFlowsAsync(new FlowFilter(1))).Single().Packets;

    /// <summary>A peer over a unix socket that shakes hands, then neither answers nor reads, or refuses all that it is asked.</summary>
    private sealed class SilentPeer(Socket near, Socket far) : IAsyncDisposable
    {
        public NetworkStream Stream { get; } = new(near, ownsSocket: true);

        /// <summary>Bytes that arrived and that nobody read.</summary>
        public int Unread => far.Available;

        public static async Task<SilentPeer> StartAsync(bool refuses = false)
        {
            using var folder = new TemporaryFolder();
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            var end = new UnixDomainSocketEndPoint(Path.Combine(folder.Path, "peer"));
            listener.Bind(end);
            listener.Listen();
            var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await near.ConnectAsync(end);
            var far = await listener.AcceptAsync();
            var peer = new SilentPeer(near, far);
            _ = peer.ShakeAsync(refuses);
            return peer;
        }

        public async ValueTask DisposeAsync()
        {
            await Stream.DisposeAsync();
            far.Dispose();
        }

        private async Task ShakeAsync(bool refuses)
        {
            await far.SendAsync(new Hello(4, 1 << 4).ToBytes(1));
            var buffer = new byte[65536];
            var held = 0;
            while (await far.ReceiveAsync(buffer.AsMemory(held)) is > 0 and var read)
            {
                held += read;
                var at = 0;
                for (int length; (length = FrameCutter.TryCut(buffer.AsSpan(at, held - at))) > 0; at += length)
                {
                    MessageCodec.Decode(buffer.AsSpan(at, length), out var xid);
                    switch ((MessageType)buffer[at + 1])
                    {
                        case MessageType.FeaturesRequest:
                            await far.SendAsync(new FeaturesReply(1, 0, 254, 0, 0).ToBytes(xid));
                            if (!refuses)
                            {
                                return;
                            }

                            break;
                        case MessageType.Experimenter:
                            // OFPET_BAD_REQUEST, OFPBRC_BAD_EXPERIMENTER.
                            await far.SendAsync(new ErrorMessage(1, 3, 0, []).ToBytes(xid));
                            break;
                    }
                }

                buffer.AsSpan(at, held - at).CopyTo(buffer);
                held -= at;
            }
        }
    }
}
