using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Text.Checks;
using Weft.OpenFlow.Wire;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>Every action of the table is sent to a real switch and comes back as it was sent, but for those that are named here with the reason.</summary>
public sealed class ActionsOnSwitchTests
{
    private const uint Nicira = Vendors.Nicira;

    /// <summary>What Open vSwitch takes and gives back in another form.</summary>
    private static readonly Dictionary<(uint Vendor, int Type), string> Rewritten = new()
    {
        [(0, 1)] = "set_vlan_vid is of OpenFlow 1.1: comes back as set_field",
        [(0, 2)] = "set_vlan_pcp, likewise",
        [(0, 3)] = "mod_dl_src, likewise",
        [(0, 4)] = "mod_dl_dst, likewise",
        [(0, 5)] = "mod_nw_src, likewise",
        [(0, 6)] = "mod_nw_dst, likewise",
        [(0, 7)] = "mod_nw_tos, likewise, of ip_dscp",
        [(0, 8)] = "mod_nw_ecn, likewise",
        [(0, 9)] = "mod_tp_src, likewise",
        [(0, 10)] = "mod_tp_dst, likewise",
        [(0, 13)] = "set_mpls_label, likewise",
        [(0, 14)] = "set_mpls_tc, likewise",
        [(Nicira, 2)] = "set_tunnel comes back as set_field of tun_id",
        [(Nicira, 9)] = "set_tunnel64, likewise",
        [(Nicira, 22)] = "write_metadata as an action comes back as the instruction of OpenFlow 1.3",
    };

    private static readonly Flow[] Flows =
    [
        .. Samples.Flows.Concat(NastyTexts.Flows).Select(t => FlowText.Parse(t)).Concat(Generated()).Concat(Older()).Where(f => !IsOption(f) || $"{f}".Contains("delete_field", StringComparison.Ordinal)).Select((f, i) => f with { Priority = (ushort)(i + 1), Cookie = (ulong)i + 1, IdleTimeout = 0, HardTimeout = 0 }),
    ];

    [Test]
    public async Task Every_action_comes_back_as_it_was_sent_or_is_named_with_the_reason()
    {
        await using var real = await RealSwitch.StartAsync();
        await PrepareAsync(real);
        var refused = (await real.Connection.SendAsync([.. Flows.Select(FlowMod.Add)])).Select(f => f.Index).ToHashSet();
        var dumped = (await real.Connection.DumpFlowsAsync()).ToDictionary(f => f.Flow.Cookie, f => f.Flow);
        var equal = new HashSet<(uint, int)>();
        var different = new List<(Flow Sent, Flow Got, HashSet<(uint, int)> Kinds)>();
        foreach (var flow in Flows.Where((_, i) => !refused.Contains(i)))
        {
            var kinds = KindsOf(flow.Instructions).ToHashSet();
            if (dumped.TryGetValue(flow.Cookie, out var got) && (got.Instructions == flow.Instructions || (IsOption(flow) && got.ToString() == flow.ToString())))
            {
                equal.UnionWith(kinds);
            }
            else
            {
                different.Add((flow, got!, kinds));
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(different.Where(d => !d.Kinds.Overlaps(Rewritten.Keys)).Select(d => $"{d.Sent}\n{d.Got}\n{string.Join(' ', d.Kinds)}\n"), Is.Empty, "come back in another form");
            Assert.That(ActionLengths.All.Except(equal).Except(Rewritten.Keys), Is.Empty, "neither came back nor are excepted");
            Assert.That(Rewritten.Keys.Intersect(equal), Is.Empty, "come back as they were sent: take them off the list");
            Assert.That(Rewritten.Keys.Except(different.SelectMany(d => d.Kinds)), Is.Empty, "are on the list and were not tried");
        });
    }

    /// <summary>The groups, meters and tunnel options that the flows name.</summary>
    private static async Task PrepareAsync(RealSwitch real)
    {
        var groups = Flows.SelectMany(f => ActionsOf(f.Instructions)).OfType<ToGroup>().Select(g => g.GroupId).Distinct();
        var meters = Flows.SelectMany(f => f.Instructions.Instructions).OfType<Meter>().Select(m => m.MeterId).Distinct();
        (await real.Connection.ApplyAsync([.. groups.Select(g => new GroupMod(GroupCommand.Add, new Group(g, GroupType.All, [])))])).ThrowIfFailed();
        await real.Connection.SendAsync([.. meters.Select(m => new MeterMod(MeterCommand.Add, MeterText.Parse($"meter={m},pktps,bands=type=drop,rate=7")))]);
        Assert.That(await real.Connection.SendAsync([new TlvTableMod(0, [.. Enumerable.Range(0, 60).Select(i => new TlvMapping(0x102, (byte)i, 4, (ushort)i))])]), Is.Empty);
    }

    /// <summary>Of a tunnel option that is named the switch tells the length that its table has; the options have tests of their own.</summary>
    private static bool IsOption(Flow flow) => $"{flow}".Contains("tun_metadata", StringComparison.OrdinalIgnoreCase);

    /// <summary>Actions that no text becomes any more.</summary>
    private static IEnumerable<Flow> Older()
    {
        (string Match, FlowAction[] Actions)[] older =
        [
            ("dl_vlan=3", [new SetOlderField(OlderField.VlanVid, 5), new SetOlderField(OlderField.VlanPcp, 1)]),
            ("in_port=1", [new SetOlderField(OlderField.EthSrc, 5), new SetOlderField(OlderField.EthDst, 5)]),
            ("tcp", [.. new[] { OlderField.IPv4Src, OlderField.IPv4Dst, OlderField.IpTos, OlderField.PortSrc, OlderField.PortDst }.Select(f => new SetOlderField(f, 4)), new SetOlderField(OlderField.IpEcn, 1)]),
            ("mpls", [new SetOlderField(OlderField.MplsLabel, 5), new SetOlderField(OlderField.MplsTc, 1)]),
            ("in_port=1", [new Resubmit(null, 5) { IsShort = true }, new SetTunnel(5), new SetTunnel(5) { IsWide = true }, new WriteMetadataAction(1, 0xff)]),
            ("in_port=1", [new SimpleAction((SimpleOperation)254), new SimpleAction((SimpleOperation)255), new RegMove(F.Reg0.Whole, F.Reg1.Whole) { IsOnfCopy = true }]),
            ("dl_type=0x894f", [F.NshSpi[0..15].Output()]),
        ];
        return older.SelectMany(o => o.Actions.Select(a => FlowText.Parse($"{o.Match} actions=drop") with { Instructions = FlowInstructions.Of(a) }));
    }

    private static IEnumerable<Flow> Generated()
    {
        var generator = new Oracle.CaseGenerator(23);
        return Enumerable.Range(0, 3000).Select(generator.Next);
    }

    private static IEnumerable<(uint, int)> KindsOf(FlowInstructions instructions) => ActionsOf(instructions).Select(a =>
    {
        var bytes = ActionList.Of(a).Encoded;
        int type = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return type != 0xffff ? (0u, type) : (BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]));
    });

    private static IEnumerable<FlowAction> ActionsOf(FlowInstructions instructions) => instructions.Instructions.SelectMany(i => i switch
    {
        ApplyActions apply => WithNested(apply.Actions),
        WriteActions write => WithNested(write.Actions),
        _ => [],
    });

    private static IEnumerable<FlowAction> WithNested(ActionList actions)
    {
        var all = new List<FlowAction>();
        foreach (var action in actions)
        {
            all.Add(action);
            all.AddRange(action switch
            {
                Clone clone => WithNested(clone.Actions),
                Conntrack { Nat: { } nat } ct => [nat, .. WithNested(ct.Exec)],
                Conntrack ct => WithNested(ct.Exec),
                _ => [],
            });
        }

        return all;
    }
}
