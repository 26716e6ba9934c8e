using System.Collections.Immutable;
using System.Net;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Flows made from the tables of fields and actions, the same for the same seed.</summary>
internal sealed class CaseGenerator(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>All but tun_metadata: ovs-ofctl needs the switch's option map for these (tested against a switch).</summary>
    public static bool IsComparable(Field field) => !field.IsVariable;

    public Flow Next(int index)
    {
        var fields = F.All.ToArray().Where(IsComparable).ToArray();
        var field = fields[index % fields.Length];
        var match = MatchOf(field);
        FlowStep[] steps = [.. ActionsFor(match)];
        return new Flow((byte)_random.Next(1, 250), (ushort)_random.Next(1, 32768), match, FlowInstructions.Of(steps))
        {
            Cookie = (ulong)_random.Next(1, int.MaxValue),
            IdleTimeout = (ushort)(_random.Next(3) == 0 ? _random.Next(1, 65536) : 0),
            HardTimeout = (ushort)(_random.Next(3) == 0 ? _random.Next(1, 65536) : 0),
            Flags = _random.Next(4) == 0 ? FlowFlags.SendFlowRemoved : FlowFlags.None,
        };
    }

    public UInt128 Number(Field field)
    {
        if (field.Format == FieldFormat.Port)
        {
            return _random.Next(4) == 0 && field.Bits == 32 ? Ports.Local : (uint)_random.Next(1, 0xff00);
        }

        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        var value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes) & field.FullMask;
        return _random.Next(8) == 0 ? field.FullMask : _random.Next(8) == 0 ? 0 : value;
    }

    private Match MatchOf(Field field)
    {
        var conditions = new List<FieldMatch>();
        conditions.AddRange(Prerequisites(field));
        conditions.RemoveAll(c => c.Field == field);
        UInt128 value = field switch
        {
            _ when field == F.PacketType => (UInt128)0x10000 | (Number(field) & 0xffff),
            _ when field == F.EthType => (UInt128)0x88cc,
            _ when field == F.IpProto => 89u,
            _ when field == F.VlanVid => 0x1000u | (Number(field) & 0xfff),
            _ when field == F.VlanTci => 0x1000u | Number(field),
            _ when field == F.IpFrag => 1u,
            _ when field == F.CtState => Number(field) & 0xff,
            _ when field == F.TcpFlags => Number(field) & 0x1ff,
            _ when field == F.Icmpv6Type => 1u,
            _ when field == F.ArpOp => Number(field) & 0xff,
            _ when field == F.IpTos => Number(field) & 0xfc,
            _ when field == F.NshMdtype => 1u,
            _ when field == F.NshTtl => Number(field) & 0x3f,
            _ when field == F.NshSpi => Number(field) & 0xffffff,
            _ => Number(field),
        };
        var mask = field.FullMask;
        if (field == F.CtState)
        {
            mask = 0xff;
        }

        if (field.IsMaskable && field != F.IpFrag && field != F.TunGbpFlags && !field.Name.StartsWith("nsh_", StringComparison.Ordinal) && _random.Next(2) == 0)
        {
            mask = field.Format is FieldFormat.IPv4 or FieldFormat.IPv6 && _random.Next(2) == 0
                ? field.FullMask >> _random.Next(field.Bits) << _random.Next(field.Bits) & field.FullMask
                : Number(field);
            mask = field == F.CtState ? mask & 0xff : field == F.TcpFlags ? mask & 0x1ff : mask;
            // A mask that begins with a decimal digit reads as a prefix length in ovs-ofctl.
            mask = field.Format == FieldFormat.IPv6 ? mask | ((UInt128)0xffff << 112) : mask;
            mask = field == F.VlanVid || field == F.VlanTci ? mask | 0x1000 : mask;
        }

        if (mask != 0)
        {
            conditions.Add(new FieldMatch(field, value & mask, mask));
        }

        if (_random.Next(3) == 0 && field != F.InPort && field != F.InPort16)
        {
            conditions.Add(F.InPort.Is((uint)_random.Next(1, 100)));
        }

        if (_random.Next(3) == 0 && !field.Name.Contains("reg", StringComparison.Ordinal))
        {
            conditions.Add(F.Reg((int)_random.Next(16)).Is((uint)_random.Next()));
        }

        return Match.Of([.. conditions]);
    }

    private IEnumerable<FieldMatch> Prerequisites(Field field)
    {
        FieldMatch v4 = F.EthType.Is(0x0800);
        FieldMatch v6 = F.EthType.Is(0x86dd);
        var any = _random.Next(2) == 0 ? v4 : v6;
        FieldMatch[] needed = field.Prerequisite switch
        {
            Prerequisite.IPAny or Prerequisite.Tcp or Prerequisite.Udp or Prerequisite.Sctp => [any],
            Prerequisite.Conntrack => [field.Format == FieldFormat.IPv6 || field.Format == FieldFormat.IPv4 ? field.Format == FieldFormat.IPv6 ? v6 : v4 : any, F.CtState.Masked(0x22, 0x22), .. field == F.CtTpSrc || field == F.CtTpDst ? new[] { F.CtNwProto.Is(6) } : []],
            Prerequisite.Nd => [F.Icmpv6Type.Is(_random.Next(2) == 0 ? (byte)135 : (byte)136), F.Icmpv6Code.Is(0)],
            Prerequisite.NdSolicit or Prerequisite.NdAdvert => [F.Icmpv6Code.Is(0)],
            Prerequisite.Mpls => [F.EthType.Is(0x8847)],
            Prerequisite.Nsh when field.Name.StartsWith("nsh_c", StringComparison.Ordinal) => [F.NshMdtype.Is(1)],
            _ when field == F.TunErspanIdx => [F.TunErspanVer.Is(1)],
            _ when field == F.TunErspanDir || field == F.TunErspanHwid => [F.TunErspanVer.Is(2)],
            _ => [],
        };
        return needed;
    }

    private IEnumerable<FlowStep> ActionsFor(Match match)
    {
        if (_random.Next(30) == 0)
        {
            // Conjunctions stand alone, but for notes.
            var clauses = (byte)_random.Next(2, 65);
            yield return new Conjunction((uint)_random.Next(), (byte)_random.Next(1, clauses + 1), clauses);
            yield return new Note(new byte[_random.Next(8)]);
            yield break;
        }

        var count = _random.Next(4);
        for (var i = 0; i < count; i++)
        {
            yield return Action(match);
        }

        if (_random.Next(3) == 0)
        {
            yield return new GotoTable(254);
        }

        if (_random.Next(8) == 0)
        {
            yield return new Meter((uint)_random.Next(1, 1000));
        }

        if (_random.Next(8) == 0)
        {
            yield return new WriteMetadata((ulong)_random.Next() & 0xff, 0xff);
        }

        if (_random.Next(8) == 0)
        {
            yield return new ClearActions();
            yield return new WriteActions(ActionList.Of(new Output((uint)_random.Next(1, 100))));
        }
    }

    private BitRange Register(int count) => F.Reg((int)_random.Next(16)).Range(_random.Next(33 - count), count);

    private FlowAction Action(Match match)
    {
        // Conntrack is for IP only, and a translation's addresses are of the packet's family.
        var type = match.TryGet(F.EthType, out var eth) ? (ushort)eth.Value : (ushort)0;
        var anywhere = F.All.ToArray().Where(f => f.IsWritable && f.Prerequisite == Prerequisite.None && IsComparable(f) && f != F.TunFlags && f != F.InPort && f != F.CtMark && f != F.CtLabel).ToArray();
        var field = anywhere[_random.Next(anywhere.Length)];
        var kind = _random.Next(34);
        if (match.TryGet(F.PacketType, out _))
        {
            // Not an Ethernet packet: most actions have nothing to work on.
            return new Output((uint)_random.Next(1, 0xff00));
        }

        kind = kind is 9 or 10 && type is not (0x0800 or 0x86dd) ? 0 : kind is 11 && type != 0x0800 ? 1 : kind is 12 && type != 0x86dd ? 2 : kind;
        switch (kind)
        {
            case 0: return new Output((uint)_random.Next(1, 0xff00));
            case 1: return new Output(Ports.Controller, (ushort)_random.Next(65536));
            case 2: return Register(16).Output();
            case 3: return new ToGroup((uint)_random.Next(1, 1000));
            case 4: return new SetField(field, Number(field));
            case 5:
                var bits = Math.Min(64, _random.Next(1, field.Bits + 1));
                var range = field.Range(_random.Next(field.Bits - bits + 1), bits);
                return range.Load(range.Read(Number(field)));
            case 6:
                var n = _random.Next(1, 33);
                return Register(n).MoveTo(Register(n));
            case 7: return new Resubmit((byte)_random.Next(255));
            case 8: return new Resubmit((byte)_random.Next(255), (uint)_random.Next(1, 1000));
            case 9:
                return new Conntrack
                {
                    Commit = true,
                    Zone = (ushort)_random.Next(65536),
                    Table = _random.Next(2) == 0 ? (byte)_random.Next(255) : null,
                    Exec = ActionList.Of(F.CtMark.Set((uint)_random.Next()), F.CtLabel[0..31].Load((uint)_random.Next())),
                };
            case 10: return new Conntrack { Table = (byte)_random.Next(255), ZoneSource = Register(16), Nat = new Nat() };
            case 11:
                return new Conntrack
                {
                    Commit = true,
                    Force = _random.Next(2) == 0,
                    Nat = new Nat(_random.Next(2) == 0 ? NatKind.Source : NatKind.Destination)
                    {
                        Address = IPAddress.Parse("10.0.0.1"),
                        LastAddress = _random.Next(2) == 0 ? IPAddress.Parse("10.0.0.77") : null,
                        Port = (ushort)_random.Next(1, 1000),
                        LastPort = _random.Next(2) == 0 ? (ushort)_random.Next(1000, 65536) : (ushort)0,
                        Random = _random.Next(2) == 0,
                    },
                };
            case 12: return new Conntrack { Commit = true, Nat = new Nat(NatKind.Destination) { Address = IPAddress.Parse("fd00::5"), Port = (ushort)_random.Next(0, 2) } };
            case 13:
                return new Learn
                {
                    Table = (byte)_random.Next(255),
                    IdleTimeout = (ushort)_random.Next(100),
                    HardTimeout = (ushort)_random.Next(100),
                    Priority = (ushort)_random.Next(65536),
                    Cookie = (ulong)_random.Next(),
                    DeleteLearned = _random.Next(2) == 0,
                    Limit = (uint)_random.Next(2),
                    Specs =
                    [
                        LearnSpec.Match(F.EthDst.Whole, F.EthSrc.Whole),
                        LearnSpec.Match(F.VlanTci[0..11]),
                        LearnSpec.Load((UInt128)_random.Next(100), F.Reg1.Whole),
                        LearnSpec.Load(F.InPort16.Whole, F.Reg0[0..15]),
                        LearnSpec.Output(F.InPort16.Whole),
                    ],
                };
            case 14: return new ToController { UserData = new byte[] { 1, 2, (byte)_random.Next(256) }, Pause = _random.Next(2) == 0, MeterId = (uint)_random.Next(2) };
            case 15: return new ToController { ControllerId = (ushort)_random.Next(1, 65536), Reason = (byte)_random.Next(3), MaxLength = (ushort)_random.Next(65536) };
            case 16: return new Note(new byte[_random.Next(20)]);
            case 17: return new Multipath((HashFields)_random.Next(7), (ushort)_random.Next(65536), (ushort)_random.Next(4), _random.Next(1, 100), (uint)_random.Next(100), Register(16));
            case 18: return new PortBundle((HashFields)_random.Next(7), (ushort)_random.Next(65536), (ushort)_random.Next(2), [.. Enumerable.Range(1, _random.Next(1, 6)).Select(i => (uint)i)], _random.Next(2) == 0 ? Register(16) : null);
            case 19: return new Actions.Stack(Register(_random.Next(1, 33)), _random.Next(2) == 0);
            case 20: return new Clone(ActionList.Of(F.Reg0.Set(1), new Output((uint)_random.Next(1, 100))));
            case 21: return new Sample((ushort)_random.Next(1, 65536), 1, 2, 3, _random.Next(2) == 0 ? (uint)_random.Next(1, 100) : null, (byte)_random.Next(3));
            case 22: return new CheckPacketLarger((ushort)_random.Next(65536), Register(1));
            case 23: return new OutputTruncated((uint)_random.Next(1, 100), (uint)_random.Next(14, 65536));
            case 24: return _random.Next(3) switch { 0 => SimpleAction.CtClear, 1 => SimpleAction.Exit, _ => new PopQueue() };
            case 25: return new SetQueue((uint)_random.Next(100));
            case 26: return new DeleteField(F.TunMetadata(_random.Next(64)));
            case 27: return new SetField(F.Reg(_random.Next(16)), (uint)_random.Next(), (uint)_random.Next(1, int.MaxValue));
            default: return HeaderAction(kind, type, match.TryGet(F.IpProto, out var proto) ? (byte)proto.Value : (byte)0);
        }
    }

    /// <summary>Headers that come and go; in a clone, so that what follows finds the packet as it was.</summary>
    private FlowAction HeaderAction(int kind, ushort type, byte proto)
    {
        var ip = type is 0x0800 or 0x86dd;
        return kind switch
        {
            28 => new Clone(ActionList.Of(new ChangeHeader(HeaderOperation.PushVlan, _random.Next(2) == 0 ? (ushort)0x8100 : (ushort)0x88a8), F.VlanVid.Set((ushort)(0x1000 | _random.Next(4096))), F.VlanPcp.Set((byte)_random.Next(8)), ChangeHeader.PopVlan)),
            29 => new Clone(ActionList.Of(
                new ChangeHeader(HeaderOperation.PushMpls, _random.Next(2) == 0 ? (ushort)0x8847 : (ushort)0x8848), F.MplsLabel.Set((uint)_random.Next(1 << 20)), F.MplsTc.Set((byte)_random.Next(8)),
                new ChangeHeader(HeaderOperation.SetMplsTtl, (ushort)_random.Next(256)), new ChangeHeader(HeaderOperation.DecMplsTtl), new ChangeHeader(HeaderOperation.PopMpls, 0x0800))),
            30 => new Clone(ActionList.Of(new Encap(0x1894f, 0, [0, 4, 1, 5, (byte)_random.Next(1, 3), 0, 0, 0]), new SimpleAction(SimpleOperation.DecNshTtl), F.NshSpi.Set((uint)_random.Next(1 << 24)), new Encap(0, 0, []), new Decap())),
            31 => new Clone(ActionList.Of(new Encap(_random.Next(2) == 0 ? 0x18847u : 0x18848u, 0, []), new Output((uint)_random.Next(1, 100)), new Decap(0x10800))),
            32 when proto == 6 && ip => new FinTimeout((ushort)_random.Next(1, 100), (ushort)_random.Next(100)),
            33 when ip => _random.Next(3) switch
            {
                0 => ChangeHeader.DecTtl,
                1 => new ChangeHeader(HeaderOperation.SetIpTtl, (ushort)_random.Next(256)),
                _ => new DecTtlWithIds([.. Enumerable.Range(0, _random.Next(1, 5)).Select(i => (ushort)_random.Next(65536))]),
            },
            _ => new ToGroup((uint)_random.Next(1, 1000)),
        };
    }
}
