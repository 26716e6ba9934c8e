using System.Collections.Immutable;
using System.Net;
using System.Text;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Tests;

/// <summary>One message or more of every kind that the library knows, requests and replies.</summary>
/// <remarks><c>CatalogueTests</c> fails when a kind is missing here, so every kind is compared with ovs-ofctl and is a seed of the fuzzers.</remarks>
internal static partial class MessageCatalogue
{
    /// <summary>The xid of every message of the catalogue.</summary>
    public const uint Xid = 0x1234;

    private static readonly Flow Web = FlowText.Parse("table=3,priority=7,cookie=0x9,tcp,tp_dst=80 actions=output:1");
    private static readonly MacAddress Address = MacAddress.Parse("00:11:22:33:44:55");
    private static readonly byte[] Packet = Convert.FromHexString("ffffffffffff0000000000010800" + "45000028000100004006000a0a000001" + "0a000002" + "04d2005000000001000000025012ffff00000000");

    /// <summary>All of them.</summary>
    public static ImmutableArray<OpenFlowMessage> All { get; } = [.. Session(), .. Mods(), .. Events(), .. Extensions(), .. Requests(), .. Replies()];

    private static IEnumerable<OpenFlowMessage> Session()
    {
        yield return new Hello(4, 1 << 4);
        yield return new Hello(4, null);
        yield return new Hello(6, 0x7e);
        yield return new Echo(false, []);
        yield return new Echo(true, [1, 2, 3]);
        yield return new ErrorMessage(4, 9, 0, [.. FlowMod.Add(Web).ToBytes(3)]);
        yield return new ErrorMessage(0, 0, 0, [.. Encoding.ASCII.GetBytes("no version in common")]);
        yield return new ErrorMessage(0xffff, 2, Vendors.Nicira, [.. new Hello(4, 16).ToBytes(3)]);
        yield return new ErrorMessage(0xffff, 2300, Vendors.Onf, [.. new BundleControl(5, BundleControlType.OpenRequest, 3).ToBytes(3)]);
        foreach (var kind in new[] { MessageType.FeaturesRequest, MessageType.GetConfigRequest, MessageType.BarrierRequest, MessageType.BarrierReply, MessageType.GetAsyncRequest })
        {
            yield return new EmptyMessage(kind);
        }

        yield return new FeaturesReply(0x1234, 256, 254, 0, 0x4f);
        yield return new FeaturesReply(ulong.MaxValue, 0, 1, 3, 0x16f);
        yield return new SwitchConfig(MessageType.SetConfig, 0, 0xffff);
        yield return new SwitchConfig(MessageType.GetConfigReply, 1, 128);
        yield return new RoleMessage(false, 2, 5);
        yield return new RoleMessage(true, 3, 5);
        yield return new RoleMessage(false, 0, 0);
        yield return new AsyncConfig(MessageType.SetAsync, 7, 1, 7, 0, 15, 0);
        yield return new AsyncConfig(MessageType.GetAsyncReply, 1, 7, 0, 7, 0, 15);
        yield return new QueueConfigRequest(Ports.Any);
        yield return new QueueConfigRequest(1);
        yield return new QueueConfigReply(1, [new QueueConfig(0, 1, 100, 1000), new QueueConfig(7, 1, null, 0xfff0), new QueueConfig(2, 1, null, null)]);
        yield return new UnknownMessage((MessageType)77, [1, 2, 3, 4]);
    }

    private static IEnumerable<OpenFlowMessage> Mods()
    {
        yield return FlowMod.Add(Web);
        yield return new FlowMod(FlowCommand.Modify, Web) { CookieMask = 0xff, CookieFilter = 5 };
        yield return new FlowMod(FlowCommand.ModifyStrict, Web with { Flags = FlowFlags.SendFlowRemoved | FlowFlags.CheckOverlap | FlowFlags.ResetCounts });
        yield return new FlowMod(FlowCommand.DeleteStrict, Web with { Instructions = default }) { OutPort = 5 };
        yield return FlowMod.DeleteAll();
        yield return new GroupMod(GroupCommand.Add, GroupText.Parse("group_id=1,type=select,bucket=weight:10,actions=output:1,bucket=actions=output:2"));
        yield return new GroupMod(GroupCommand.Modify, GroupText.Parse("group_id=4,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:2,actions=output:2"));
        yield return new GroupMod(GroupCommand.Add, GroupText.Parse("group_id=5,type=all,bucket=actions=ct(commit,table=9,zone=5,nat(dst=10.0.0.1:80))"));
        yield return new GroupMod(GroupCommand.Add, GroupText.Parse("group_id=6,type=indirect,bucket=actions=set_field:0x1->reg0,output:2"));
        yield return GroupMod.Delete(7);
        yield return GroupMod.Delete(GroupMod.AllGroups);
        yield return new MeterMod(MeterCommand.Add, MeterText.Parse("meter=1,kbps,burst,stats,bands=type=drop,rate=100,burst_size=50,type=dscp_remark,rate=200,burst_size=60,prec_level=1"));
        yield return new MeterMod(MeterCommand.Modify, MeterText.Parse("meter=2,pktps,bands=type=drop,rate=7"));
        yield return MeterMod.Delete(9);
        yield return MeterMod.Delete(MeterMod.AllMeters);
        yield return new NiciraFlowMod(FlowMod.Add(Web with { Flags = FlowFlags.SendFlowRemoved }));
        yield return new NiciraFlowMod(new FlowMod(FlowCommand.Modify, Web with { IdleTimeout = 5 }) { CookieMask = 0xff, CookieFilter = 5 });
        yield return new NiciraFlowMod(new FlowMod(FlowCommand.DeleteStrict, Web with { Instructions = default, Cookie = ulong.MaxValue }) { OutPort = Ports.Local });
        yield return new PortMod(1, Address, 1, 1);
        yield return new PortMod(Ports.Local, Address, 0x65, 0x65, 0x2840);
        yield return new TableMod(255, 0);
        yield return new TableMod(3, 3);
        yield return new PacketOut(Ports.Controller, ActionList.Of(new Output(3)), Array.Empty<byte>()) { BufferId = 0x114 };
        yield return new PacketOut(1, ActionList.Of(new Output(Ports.Table), new Resubmit(5)), Packet);
    }

    private static IEnumerable<OpenFlowMessage> Events()
    {
        yield return new FlowRemoved(Web with { Instructions = default, IdleTimeout = 5, HardTimeout = 6 }, 1, new FlowDuration(3, 500_000_000), 7, 8);
        yield return new FlowRemoved(Web with { Instructions = default, Priority = Flow.DefaultPriority, Cookie = 0, Table = 0 }, 5, new FlowDuration(3, 123_456_789), 7, 8);
        yield return new PortStatus(PortReason.Added, new PortDescription(1, Address, "p1", 0, 4, 0x840, 0, 0, 0, 10_000_000, 0));
        yield return new PortStatus(PortReason.Deleted, new PortDescription(Ports.Local, MacAddress.Broadcast, "br0", 1, 1, 0, 0, 0, 0, 0, 0));
        yield return new PortStatus(PortReason.Modified, new PortDescription(2, Address, "p2", 0x65, 7, 0xffff, 0xff, 0xff00, 0x10, 1_000_000, 100_000));
        yield return new PacketIn { Metadata = Match.Of(Fields.Fields.InPort.Is(3)), Data = Packet, TotalLength = (uint)Packet.Length, Reason = 1, Table = 4, Cookie = 0x77 };
        yield return new PacketIn { Metadata = Match.Of(Fields.Fields.InPort.Is(3)), Data = Packet.AsMemory(0, 20), TotalLength = 200, BufferId = 0x102 };
        yield return new PacketIn { Form = PacketInForm.Nicira, Metadata = Match.Of(Fields.Fields.InPort.Is(3), Fields.Fields.Reg3.Is(5)), Data = Packet, TotalLength = (uint)Packet.Length, Reason = 1, Table = 4, Cookie = 0x77 };
        yield return new PacketIn { Form = PacketInForm.Nicira2, Metadata = Match.Of(Fields.Fields.InPort.Is(3), Fields.Fields.Reg3.Is(5), Fields.Fields.TunId.Is(9)), Data = Packet, TotalLength = (uint)Packet.Length, Reason = 1, Table = 4, Cookie = 0x77, UserData = new byte[] { 1, 2, 3 } };
        foreach (var continuation in Continuations())
        {
            yield return new PacketIn { Form = PacketInForm.Nicira2, Metadata = Match.Of(Fields.Fields.InPort.Is(3)), Data = Packet, TotalLength = (uint)Packet.Length, Reason = 1, Table = 4, UserData = new byte[] { 1, 2, 3 }, Continuation = continuation };
        }

        yield return new FlowRemoved(Web with { Instructions = default, IdleTimeout = 5 }, 1, new FlowDuration(3, 500_000_000), 7, 8) { IsNicira = true };
        yield return new FlowRemoved(Web with { Instructions = default, Table = 255, Cookie = 0 }, 2, new FlowDuration(3, 5), 7, 8) { IsNicira = true };
        yield return new PacketIn { Form = PacketInForm.Resume, Metadata = Match.Of(Fields.Fields.InPort.Is(3)), Data = Packet, TotalLength = (uint)Packet.Length, Table = 255 };
    }

    private static IEnumerable<OpenFlowMessage> Extensions()
    {
        foreach (var control in Enum.GetValues<BundleControlType>())
        {
            yield return new BundleControl(5, control, (ushort)((int)control % 4));
        }

        yield return new BundleAdd(5, 3, FlowMod.Add(Web)) { InnerXid = Xid };
        yield return new BundleAdd(5, 1, new GroupMod(GroupCommand.Add, GroupText.Parse("group_id=1,type=all,bucket=actions=output:1"))) { InnerXid = Xid };
        yield return new BundleAdd(5, 0, new PacketOut(Ports.Controller, ActionList.Of(new Output(3)), Packet)) { InnerXid = Xid };
        yield return new RoleStatus(3, 0, 9);
        yield return new RoleStatus(2, 1, ulong.MaxValue);
        yield return new RequestForward(GroupMod.Delete(7)) { RequestXid = 5 };
        yield return new RequestForward(new MeterMod(MeterCommand.Add, MeterText.Parse("meter=2,pktps,bands=type=drop,rate=7"))) { RequestXid = 6 };
        yield return AsyncSettings.ForwardRequests;
        yield return new AsyncSettings([.. Enum.GetValues<AsyncMessage>().SelectMany(m => new[] { new AsyncSetting(m, false, m == AsyncMessage.TableStatus ? 0x18u : 3), new AsyncSetting(m, true, 0) })]);
        yield return new CancelFlowMonitor(3);
        yield return new ExperimenterMessage(Vendors.Onf, 1871, []);
        yield return new ExperimenterMessage(Vendors.Onf, 1872, []);
        yield return new ExperimenterMessage(Vendors.Nicira, 10, [0, 0, 0, 1]);
        yield return new ExperimenterMessage(Vendors.Nicira, 11, [0, 0, 0, 2]);
        yield return new ExperimenterMessage(Vendors.Nicira, 15, [1, 0, 0, 0, 0, 0, 0, 0]);
        yield return new ExperimenterMessage(Vendors.Nicira, 18, []);
        yield return new ExperimenterMessage(Vendors.Nicira, 19, [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0]);
        yield return new ExperimenterMessage(0x1234, 5, [1, 2, 3, 4]);
        yield return new ExperimenterMessage(Vendors.Nicira, 999, [1, 2, 3, 4]);
        yield return new SetPacketInFormat(2);
        yield return new SetPacketInFormat(0);
        yield return new SetControllerId(7);
        yield return new TlvTableMod(0, [new TlvMapping(0xffff, 0, 4, 0), new TlvMapping(0x12, 3, 124, 63)]);
        yield return new TlvTableMod(1, [new TlvMapping(0xffff, 0, 4, 0)]);
        yield return new TlvTableMod(2, []);
        yield return new TlvTableRequest();
        yield return new TlvTableReply(256, 64, [new TlvMapping(0xffff, 1, 4, 0), new TlvMapping(0, 0, 8, 5)]);
        yield return new FlushConntrackZone(9);
        yield return new FlushConntrack(17) { Reply = new ConntrackTuple { Source = IPAddress.Parse("10.244.1.5"), SourcePort = 53 } };
        yield return new FlushConntrack(58) { Zone = 5, Original = new ConntrackTuple { Destination = IPAddress.Parse("fd00::a"), IcmpId = 3, IcmpType = 128, IcmpCode = 0 } };
    }

    private static IEnumerable<OpenFlowMessage> Requests()
    {
        foreach (var kind in new[] { MultipartType.Description, MultipartType.Table, MultipartType.GroupDescription, MultipartType.GroupFeatures, MultipartType.MeterFeatures, MultipartType.TableFeatures, MultipartType.PortDescription })
        {
            yield return new Multipart(false, kind, false, Array.Empty<byte>());
        }

        yield return new Multipart(false, MultipartType.Flow, false, new FlowFilter(3, Web.Match) { OutPort = 2 }.Encode());
        yield return new Multipart(false, MultipartType.Flow, false, new FlowFilter(3, Web.Match) { OutGroup = 2, Cookie = 5, CookieMask = 0xff }.Encode());
        yield return new Multipart(false, MultipartType.Aggregate, false, new FlowFilter().Encode());
        foreach (var kind in new[] { MultipartType.PortStats, MultipartType.Group, MultipartType.Meter, MultipartType.MeterConfig })
        {
            yield return new Multipart(false, kind, false, Body(w => Words(w, 3, 0)));
            yield return new Multipart(false, kind, false, Body(w => Words(w, uint.MaxValue, 0)));
        }

        yield return new Multipart(false, MultipartType.Queue, false, Body(w => Words(w, 3, 4)));
        yield return new Multipart(false, MultipartType.Queue, false, Body(w => Words(w, Ports.Any, uint.MaxValue)));
        yield return new Multipart(false, MultipartType.Experimenter, false, IpfixStats.Request(IpfixStats.BridgeSubtype));
        yield return new Multipart(false, MultipartType.Experimenter, false, IpfixStats.Request(IpfixStats.FlowSubtype));
        yield return new Multipart(false, MultipartType.Experimenter, false, FlowMonitorCodec.EncodeRequest(1, FlowMonitorFlags.Changes, new FlowFilter(2, Web.Match)));
        yield return new Multipart(false, MultipartType.Experimenter, false, FlowMonitorCodec.EncodeRequest(7, FlowMonitorFlags.Changes | FlowMonitorFlags.Initial | FlowMonitorFlags.Own, new FlowFilter { OutPort = 4 }));
    }

    /// <summary>What Open vSwitch keeps of a paused packet: some of everything, and what one property alone may hold.</summary>
    private static IEnumerable<byte[]> Continuations()
    {
        yield return Body(w =>
        {
            Property(w, 0x8000, [.. Enumerable.Range(0x10, 16).Select(i => (byte)i)]);
            Property(w, 0x8001, [0, 0, 1, 2]);
            Property(w, 0x8001, [0, 0, 0, 0]);
            Property(w, 0x8002, [0, 0, 0, 5]);
            Property(w, 0x8003, []);
            Property(w, 0x8004, [9]);
            Property(w, 0x8005, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77]);
            Property(w, 0x8006, [0, 0, 0, 0, .. ActionList.Of(new Output(3), new Resubmit(5)).Encoded]);
            Property(w, 0x8004, [10]);
            Property(w, 0x8006, [0, 0, 0, 0]);
            Property(w, 0x8007, [0, 0, 0, 0, .. ActionList.Of(new Output(2)).Encoded]);
            Property(w, 0x8008, [0, 0, 0, 3]);
        });
        yield return Body(w => Property(w, 0x8000, new byte[16]));
        yield return Body(w => Property(w, 0x8006, [0, 0, 0, 0]));
        yield return Body(w => Property(w, 0x8007, [0, 0, 0, 0]));

        static void Property(WireWriter w, ushort type, byte[] value)
        {
            var start = w.Length;
            w.U16(type);
            w.U16((ushort)(4 + value.Length));
            w.Bytes(value);
            w.Pad8(start);
        }
    }

    private static byte[] Body(Action<WireWriter> write)
    {
        var w = new WireWriter();
        write(w);
        return w.ToArray();
    }

    private static void Words(WireWriter w, params ReadOnlySpan<uint> words)
    {
        foreach (var word in words)
        {
            w.U32(word);
        }
    }
}
