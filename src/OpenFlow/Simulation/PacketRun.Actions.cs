using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <content>What each action does.</content>
internal sealed partial class PacketRun
{
    private void Do(FlowAction action, byte table, int depth)
    {
        switch (action)
        {
            case Output output: Send(output.Port); break;
            case OutputTruncated output: Send(output.Port); break;
            case OutputReg output: Send(PortIn(output.Source)); break;
            case ToController: Send(Ports.Controller); break;
            case PortBundle { Target: null } bundle: SendFirstAlive(bundle); break;
            case PortBundle { Target: { } target } bundle: _packet.Write(target, Ports.ToOpenFlow10(FirstAlive(bundle))); break;
            case SetField set: _packet[set.Field] = (_packet[set.Field] & ~set.Mask) | (set.Value & set.Mask); break;
            case RegLoad load: _packet.Write(load.Target, load.Value); break;
            case RegMove move: _packet.Write(move.Target, _packet.Read(move.Source)); break;
            case Actions.Stack { IsPush: true } push: _stack.Push((_packet.Read(push.Range), push.Range.Count)); break;
            case Actions.Stack pop:
                if (_stack.TryPop(out var top))
                {
                    _packet.Write(pop.Range, top.Value);
                }

                break;
            case CheckPacketLarger check: _packet.Write(check.Target, options.PacketLength > check.PacketLength ? 1u : 0u); break;
            case Multipath multipath: _packet.Write(multipath.Target, 0); break;
            case DeleteField delete: _packet[delete.Field] = 0; break;
            case Resubmit resubmit: Again(resubmit, table, depth); break;
            case Clone clone: OnCopy(() => Apply(clone.Actions, table, depth + 1)); break;
            case ToGroup group: RunGroup(group.GroupId, table, depth); break;
            case Conntrack ct: Track(ct, table, depth); break;
            case Learn learn: AddLearned(learn); break;
            case ChangeHeader change: Change(change); break;
            case DecTtlWithIds: DecrementTtl(); break;
            case SimpleAction { Operation: SimpleOperation.CtClear }: ClearConntrack(_packet); break;
            case SimpleAction { Operation: SimpleOperation.Exit }: _exit = true; break;
            case SimpleAction { Operation: SimpleOperation.DecNshTtl }: _packet[F.NshTtl] -= 1; break;
            default: break; // Notes, queues, samples, conjunctions and unknown actions do not change where a packet goes.
        }
    }

    private void Send(uint port)
    {
        var inPort = (uint)_packet[F.InPort];
        if (port == Ports.InPort)
        {
            port = inPort;
        }
        else if (port == inPort && port < Ports.Max)
        {
            return; // Back out of the ingress port only when IN_PORT says so.
        }
        else if (port == Ports.Any)
        {
            return;
        }
        else if (options.Bridge is { } bridge && port is Ports.Normal or Ports.Flood or Ports.All)
        {
            foreach (var each in port == Ports.Normal ? bridge.Normal(_packet) : bridge.Others(inPort))
            {
                _result.Outputs.Add(new SimulationOutput(each, _packet.Copy()));
            }

            return;
        }

        _result.Outputs.Add(new SimulationOutput(port, _packet.Copy()));
    }

    private uint PortIn(BitRange source)
    {
        var value = _packet.Read(source);
        return value <= 0xffff ? Ports.FromOpenFlow10((ushort)value) : (uint)value;
    }

    private void SendFirstAlive(PortBundle bundle) => Send(FirstAlive(bundle));

    private uint FirstAlive(PortBundle bundle)
    {
        foreach (var member in bundle.Members)
        {
            if (options.IsPortAlive?.Invoke(member) ?? true)
            {
                return member;
            }
        }

        return Ports.Any;
    }

    /// <summary>Another port and the original tuple count for the search only, not for what is found.</summary>
    private void Again(Resubmit resubmit, byte table, int depth) => Search(resubmit.Table ?? table, depth + 1, at =>
    {
        var inPort = _packet[F.InPort];
        var restore = resubmit.WithConntrackTuple ? SwapTuple() : null;
        if (resubmit.Port != Ports.InPort)
        {
            _packet[F.InPort] = resubmit.Port;
        }

        var found = Find(at);
        restore?.Invoke();
        _packet[F.InPort] = inPort;
        return found;
    });

    /// <summary>The original direction's addresses stand in for the packet's during the search.</summary>
    private Action SwapTuple()
    {
        var v6 = _packet[F.EthType] == 0x86dd;
        (Field Packet, Field Original)[] pairs = v6
            ? [(F.IPv6Src, F.CtIPv6Src), (F.IPv6Dst, F.CtIPv6Dst)]
            : [(F.IPv4Src, F.CtNwSrc), (F.IPv4Dst, F.CtNwDst)];
        var kept = pairs.Select(p => _packet[p.Packet]).ToArray();
        foreach (var (packet, original) in pairs)
        {
            _packet[packet] = _packet[original];
        }

        return () =>
        {
            for (var i = 0; i < pairs.Length; i++)
            {
                _packet[pairs[i].Packet] = kept[i];
            }
        };
    }

    private void OnCopy(Action run)
    {
        var kept = _packet.Copy();
        var stack = _stack.Reverse().ToArray();
        var exit = _exit;
        run();
        _packet.CopyFrom(kept);
        _stack.Clear();
        foreach (var item in stack)
        {
            _stack.Push(item);
        }

        // What ends a copy does not end the packet; a limit does.
        _exit = exit || _result.Stopped is not null;
    }

    private void RunGroup(uint id, byte table, int depth)
    {
        if (depth > MaxDepth || simulator.Group(id) is not { } group)
        {
            return;
        }

        foreach (var bucket in Chosen(group, depth))
        {
            OnCopy(() => Apply(bucket.Actions, table, depth + 1));
        }
    }

    private IEnumerable<Bucket> Chosen(Group group, int depth)
    {
        switch (group.Type)
        {
            case GroupType.All: return group.Buckets;
            case GroupType.FastFailover: return group.Buckets.Where(b => IsAlive(b, depth)).Take(1);
            case GroupType.Select when options.ChooseBucket is { } choose:
                var index = choose(group, _packet);
                return index >= 0 && index < group.Buckets.Length ? [group.Buckets[index]] : [];
            case GroupType.Select: return group.Buckets.Where(b => b.Weight > 0).Take(1);
            default: return group.Buckets.Take(1);
        }
    }

    private bool IsAlive(Bucket bucket, int depth)
    {
        if (bucket.WatchPort != Ports.Any)
        {
            return options.IsPortAlive?.Invoke(bucket.WatchPort) ?? true;
        }

        return bucket.WatchGroup != uint.MaxValue && depth < MaxDepth && simulator.Group(bucket.WatchGroup) is { } watched && watched.Buckets.Any(b => IsAlive(b, depth + 1));
    }

    private void Track(Conntrack ct, byte table, int depth)
    {
        if (_packet[F.EthType] is var type && type != 0x0800 && type != 0x86dd)
        {
            return; // Only IP has connections; the packet goes on untracked.
        }

        var zone = ct.ZoneSource is { } source ? (ushort)_packet.Read(source) : ct.Zone;
        var tracked = _packet.Copy();
        _connections.Track(tracked, ct, zone, p =>
        {
            var kept = _packet;
            _packet = p;
            Apply(ct.Exec, table, depth);
            _packet = kept;
        });
        if (ct.Table is not { } next)
        {
            return;
        }

        if (options.CtNext is { } states && _tracked < states.Count)
        {
            tracked[F.CtState] = (uint)(states[_tracked] | CtStateFlags.Tracked);
        }

        _tracked++;
        _recirculated.Enqueue((tracked, next));
    }

    private static void ClearConntrack(SimulatedPacket packet)
    {
        foreach (var field in (ReadOnlySpan<Field>)[F.CtState, F.CtZone, F.CtMark, F.CtLabel, F.CtNwSrc, F.CtNwDst, F.CtIPv6Src, F.CtIPv6Dst, F.CtNwProto, F.CtTpSrc, F.CtTpDst])
        {
            packet[field] = 0;
        }
    }

    private void AddLearned(Learn learn)
    {
        var builder = new MatchBuilder();
        var actions = new List<FlowStep>();
        foreach (var spec in learn.Specs)
        {
            var value = spec.Source is { } source ? _packet.Read(source) : spec.Value;
            switch (spec.Kind)
            {
                case LearnKind.Match:
                    builder.Add(spec.Target!.Value.Is(value));
                    break;
                case LearnKind.Load:
                    actions.Add(new SetField(spec.Target!.Value.Field, value << spec.Target.Value.Offset, spec.Target.Value.Mask));
                    break;
                default:
                    actions.Add(new Output(value <= 0xffff ? Ports.FromOpenFlow10((ushort)value) : (uint)value));
                    break;
            }
        }

        var flow = new Flow(learn.Table, learn.Priority, builder.Build(addPrerequisites: false), FlowInstructions.Of([.. actions]))
        {
            Cookie = learn.Cookie,
            IdleTimeout = learn.IdleTimeout,
            HardTimeout = learn.HardTimeout,
            Flags = learn.SendFlowRemoved ? FlowFlags.SendFlowRemoved : FlowFlags.None,
        };
        _result.Learned.Add(flow);
        if (!_learned.TryGetValue(learn.Table, out var index))
        {
            _learned.Add(learn.Table, index = new TableIndex());
        }

        index.Add(flow);
    }

    private void Change(ChangeHeader change)
    {
        switch (change.Operation)
        {
            case HeaderOperation.PushVlan:
                _packet[F.VlanVid] = 0x1000 | (_packet[F.VlanVid] & 0xfff);
                break;
            case HeaderOperation.PopVlan:
                _packet[F.VlanVid] = 0;
                _packet[F.VlanPcp] = 0;
                break;
            case HeaderOperation.PushMpls:
                _packet[F.MplsBos] = _packet[F.EthType] is var type && (type == 0x8847 || type == 0x8848) ? 0u : 1u;
                _packet[F.MplsTtl] = _packet[F.IpTtl];
                _packet[F.EthType] = change.Operand;
                break;
            case HeaderOperation.PopMpls:
                _packet[F.EthType] = change.Operand;
                _packet[F.MplsLabel] = 0;
                break;
            case HeaderOperation.SetIpTtl: _packet[F.IpTtl] = change.Operand; break;
            case HeaderOperation.SetMplsTtl: _packet[F.MplsTtl] = change.Operand; break;
            case HeaderOperation.DecMplsTtl: _packet[F.MplsTtl] -= _packet[F.MplsTtl] > 0 ? 1u : 0u; break;
            case HeaderOperation.DecIpTtl: DecrementTtl(); break;
        }
    }

    /// <summary>A packet whose time is over stops here (the real switch tells its controllers).</summary>
    private void DecrementTtl()
    {
        var ttl = _packet[F.IpTtl];
        if (ttl > 1)
        {
            _packet[F.IpTtl] = ttl - 1;
        }
        else
        {
            _result.Stopped ??= "time to live is over";
            _exit = true;
        }
    }
}
