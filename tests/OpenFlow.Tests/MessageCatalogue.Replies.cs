using System.Text;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Tests;

/// <content>Multipart replies.</content>
internal static partial class MessageCatalogue
{
    private static IEnumerable<OpenFlowMessage> Replies()
    {
        yield return Reply(MultipartType.Description, w =>
        {
            foreach (var (text, size) in new[] { ("Nicira, Inc.", 256), ("Open vSwitch", 256), ("3.1.0", 256), ("None", 32), ("None", 256) })
            {
                w.Bytes(Encoding.ASCII.GetBytes(text.PadRight(size, '\0')));
            }
        });
        yield return Reply(MultipartType.Flow, w =>
        {
            FlowRow(w, Web with { IdleTimeout = 5, Flags = FlowFlags.SendFlowRemoved }, 7);
            FlowRow(w, FlowText.Parse("priority=0,actions=drop"), 0);
            FlowRow(w, FlowText.Parse("table=9,ct_state=+trk+new,ip,reg0=0x5/0xff actions=ct(commit,zone=5),goto_table:10"), 9);
        });
        yield return Reply(MultipartType.Aggregate, w =>
        {
            w.U64(10);
            w.U64(640);
            Words(w, 3, 0);
        });
        yield return Reply(MultipartType.Table, w =>
        {
            for (var table = 0; table < 5; table++)
            {
                Words(w, (uint)table << 24, (uint)(table == 3 ? 9 : 1));
                w.U64(7);
                w.U64(5);
            }
        });
        yield return Reply(MultipartType.PortStats, w =>
        {
            for (var port = 1u; port < 3; port++)
            {
                Words(w, port, 0);
                for (var i = 0UL; i < 12; i++)
                {
                    w.U64(port == 2 && i > 6 ? ulong.MaxValue : i * port);
                }

                Words(w, 5, 600_000_000);
            }
        });
        yield return Reply(MultipartType.Queue, w =>
        {
            Words(w, 1, 7);
            w.U64(100);
            w.U64(2);
            w.U64(ulong.MaxValue);
            Words(w, 3, 4_000_000);
        });
        yield return Reply(MultipartType.Group, w =>
        {
            w.U16(72);
            w.U16(0);
            Words(w, 9, 2, 0);
            w.U64(5);
            w.U64(500);
            Words(w, 3, 20_000_000);
            w.U64(2);
            w.U64(200);
            w.U64(3);
            w.U64(300);
        });
        yield return Reply(MultipartType.GroupDescription, w =>
        {
            foreach (var text in new[] { "group_id=1,type=select,bucket=weight:10,actions=output:1,bucket=weight:20,actions=output:2", "group_id=4,type=ff,bucket=watch_port:1,actions=output:1" })
            {
                // The same layout as a group mod, but for the length in place of the command.
                var start = w.Length;
                w.Bytes(new GroupMod(GroupCommand.Add, GroupText.Parse(text)).ToBytes(0).AsSpan(8));
                w.PatchU16(start, w.Length - start);
            }
        });
        yield return Reply(MultipartType.GroupFeatures, w => Words(w, 0xf, 7, 0xffffff00, 5, 0, 1, 0x3ff0001, 0, 0x7ff, 1));
        yield return Reply(MultipartType.Meter, w =>
        {
            Words(w, 4, 56 << 16, 0, 2);
            w.U64(5);
            w.U64(500);
            Words(w, 3, 20_000_000);
            w.U64(2);
            w.U64(200);
        });
        yield return Reply(MultipartType.MeterConfig, w =>
        {
            var start = w.Length;
            w.Bytes(new MeterMod(MeterCommand.Add, MeterText.Parse("meter=2,kbps,burst,bands=type=drop,rate=7,burst_size=9")).ToBytes(0).AsSpan(8));
            w.PatchU16(start, w.Length - start);
            w.PatchU16(start + 2, 5);
        });
        yield return Reply(MultipartType.MeterFeatures, w =>
        {
            Words(w, 0xffffffff, 6, 0xf);
            w.U8(1);
            w.U8(0);
            w.U16(0);
        });
        foreach (var rows in new[] { 0, 1, 2 })
        {
            yield return Reply(MultipartType.Experimenter, w =>
            {
                w.Bytes(IpfixStats.Request(rows == 1 ? IpfixStats.BridgeSubtype : IpfixStats.FlowSubtype));
                for (var row = 0; row < rows; row++)
                {
                    for (var i = 0UL; i < 10; i++)
                    {
                        w.U64(row == 1 && i > 7 ? ulong.MaxValue : i * 3);
                    }

                    Words(w, (uint)row * 1000, 0);
                }
            });
        }

        yield return new Multipart(true, MultipartType.TableFeatures, true, MultipartBodies.WriteTableFeatures(Tables()));
        yield return Reply(MultipartType.PortDescription, w =>
        {
            foreach (var port in new uint[] { 2, 1, Ports.Local })
            {
                w.Bytes(new PortStatus(PortReason.Added, new PortDescription(port, Address, $"port{port & 0xffff}", 0, 4, 0x840, 0, 0, 0, 10_000_000, 0)).ToBytes(0).AsSpan(16));
            }
        });
        yield return Reply(MultipartType.Experimenter, w =>
        {
            Words(w, Vendors.Onf, FlowMonitorCodec.Subtype);
            Update(w, 0, Web);
            Update(w, 1, Web with { Instructions = default });
            Update(w, 2, Web with { IdleTimeout = 5, HardTimeout = 6 });
            w.U16(8);
            w.U16(3);
            w.U32(0x4321);
        });
    }

    private static TableFeatures[] Tables()
    {
        var abilities = new TableAbilities
        {
            Instructions = 0x7e,
            NextTables = [.. Enumerable.Range(1, 253).Select(t => (byte)t)],
            WriteActions = 0x03ff8001,
            ApplyActions = 0x03ff8001,
            WriteFields = [Fields.Fields.EthSrc, Fields.Fields.EthDst, .. Enumerable.Range(0, 16).Select(Fields.Fields.Reg), Fields.Fields.TunId],
            ApplyFields = [Fields.Fields.EthSrc, Fields.Fields.EthDst, .. Enumerable.Range(0, 16).Select(Fields.Fields.Reg), Fields.Fields.TunId],
        };
        TableField[] match = [new(Fields.Fields.EthSrc, true, true), new(Fields.Fields.EthType, false, true), new(Fields.Fields.InPort, false, false), new(Fields.Fields.TunMetadata(3), true, true)];
        var first = new TableFeatures(0) { MetadataMatch = ulong.MaxValue, MetadataWrite = 0xff, MaxEntries = 1_000_000, Flows = abilities, Miss = abilities, Match = [.. match] };
        return
        [
            first,
            first with { Table = 1, Flows = abilities with { NextTables = abilities.NextTables.Remove(1) }, Miss = abilities with { NextTables = abilities.NextTables.Remove(1) } },
            first with { Table = 2, Name = "acl", Flows = abilities with { ApplyActions = 1 }, Miss = abilities with { NextTables = [5, 7, 8], Instructions = 2 } },
            first with { Table = 3, MaxEntries = 5, Match = [match[0]] },
            first with { Table = 4, MaxEntries = 5, Match = [match[0]] },
        ];
    }

    private static Multipart Reply(MultipartType kind, Action<WireWriter> write) => new(true, kind, false, Body(write));

    private static void FlowRow(WireWriter w, Flow flow, ulong packets)
    {
        var start = w.Length;
        w.U16(0);
        w.U8(flow.Table);
        w.U8(0);
        Words(w, 3, 500_000_000);
        w.U16(flow.Priority);
        w.U16(flow.IdleTimeout);
        w.U16(flow.HardTimeout);
        w.U16((ushort)flow.Flags);
        w.U32(0);
        w.U64(flow.Cookie);
        w.U64(packets);
        w.U64(packets * 60);
        OxmCodec.WriteMatch(w, flow.Match);
        w.Bytes(flow.Instructions.Encoded);
        w.PatchU16(start, w.Length - start);
    }

    private static void Update(WireWriter w, ushort kind, Flow flow)
    {
        var start = w.Length;
        w.U16(0);
        w.U16(kind);
        w.U16((ushort)(kind == 1 ? 2 : 0));
        w.U16(flow.Priority);
        w.U16(flow.IdleTimeout);
        w.U16(flow.HardTimeout);
        w.U16(0);
        w.U8(flow.Table);
        w.U8(0);
        w.U64(flow.Cookie);
        OxmCodec.WriteMatch(w, flow.Match);
        w.Bytes(flow.Instructions.Encoded);
        w.PatchU16(start, w.Length - start);
    }
}
