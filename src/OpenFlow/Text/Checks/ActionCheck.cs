using System.Net.Sockets;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>Checks actions against packets of a shape, which they change on their way (ofpacts_check in ofp-actions.c).</summary>
internal sealed class ActionCheck(FlowShape start)
{
    private const string Inconsistent = "OFPBAC_MATCH_INCONSISTENT";
    private const int VlanPresent = 0x1000;
    private readonly FlowShape _shape = start with { };
    private bool _consistent = true;

    /// <summary>False when some action does not fit the packets, but could in OpenFlow 1.0.</summary>
    /// <exception cref="OpenFlowFormatException">An action fits nowhere.</exception>
    public bool Check(IEnumerable<FlowAction> actions)
    {
        foreach (var action in actions)
        {
            Check(action);
        }

        return _consistent;
    }

    private void Check(FlowAction action)
    {
        switch (action)
        {
            case OutputTruncated output: ActionBytes.Require(Ports.ToOpenFlow10(output.Port) is < 0xff00 or (>= 0xfff8 and <= 0xfffe), "OFPBAC_BAD_OUT_PORT"); break;
            case OutputReg output: Needs(output.Source.Field); break;
            case PortBundle { Target: { } target }: Needs(target.Field); break;
            case Multipath multipath: Needs(multipath.Target.Field); break;
            case RegMove move:
                Needs(move.Source.Field);
                Needs(move.Target.Field);
                break;
            case RegLoad load: CheckSet(load.Target.Field, (UInt128)load.Value << load.Target.Offset); break;
            case SetField set: CheckSet(set.Field, set.Value); break;
            case Actions.Stack stack: Needs(stack.Range.Field); break;
            case ChangeHeader change: CheckHeader(change); break;
            case DecTtlWithIds: _consistent &= _shape.IsIP; break;
            case SetOlderField older: CheckOlder(older); break;
            case DeleteField deleted: ActionBytes.Require(deleted.Field.IsVariable, "OFPBAC_BAD_ARGUMENT"); break;
            case FinTimeout: _consistent &= _shape.IpProto == 6; break;
            case Encap encap: CheckEncap(encap); break;
            case Decap: CheckDecap(); break;
            case SimpleAction { Operation: SimpleOperation.DecNshTtl }: _consistent &= _shape.PacketType == 0x1894f || _shape.EthType == 0x894f; break;
            case Resubmit { WithConntrackTuple: true }: ActionBytes.Require(_shape.IsConnection, Inconsistent); break;
            case Learn learn: CheckLearn(learn); break;
            case Clone clone: _consistent &= new ActionCheck(_shape).Check(clone.Actions.ToArray()); break;
            case Conntrack ct: CheckConntrack(ct); break;
            case Nat nat: CheckNat(nat); break;
        }
    }

    private void Needs(Field field) => ActionBytes.Require(_shape.Meets(field.Prerequisite), Inconsistent);

    private void CheckSet(Field field, UInt128 value)
    {
        ActionBytes.Require(_shape.Meets(field.Prerequisite) && (field != F.VlanVid || (_shape.VlanTci & VlanPresent) != 0), Inconsistent);
        if (field == F.VlanTci)
        {
            _shape.VlanTci = (ushort)value;
        }
    }

    private void CheckHeader(ChangeHeader change)
    {
        switch (change.Operation)
        {
            case HeaderOperation.SetIpTtl or HeaderOperation.DecIpTtl: _consistent &= _shape.IsIP; break;
            case HeaderOperation.SetMplsTtl or HeaderOperation.DecMplsTtl: _consistent &= _shape.IsMpls; break;
            case HeaderOperation.PushVlan:
                ActionBytes.Require((_shape.InnerVlanTci & VlanPresent) == 0, "OFPBAC_BAD_TAG");
                _shape.PushVlan();
                break;
            case HeaderOperation.PopVlan:
                _consistent &= (_shape.VlanTci & VlanPresent) != 0;
                _shape.PopVlan();
                break;
            case HeaderOperation.PushMpls:
                _consistent &= _shape.IsEthernet;
                (_shape.EthType, _shape.IpProto) = (change.Operand, 0);
                break;
            case HeaderOperation.PopMpls:
                _consistent &= _shape.IsEthernet && _shape.IsMpls;
                _shape.EthType = change.Operand;
                break;
        }
    }

    private void CheckOlder(SetOlderField older)
    {
        switch (older.Field)
        {
            case OlderField.VlanVid or OlderField.VlanPcp:
                _consistent &= (_shape.VlanTci & VlanPresent) != 0;
                _shape.VlanTci |= VlanPresent;
                break;
            case OlderField.IPv4Src or OlderField.IPv4Dst: _consistent &= _shape.Layer3 == 0x0800; break;
            case OlderField.IpTos or OlderField.IpEcn: _consistent &= _shape.IsIP; break;
            case OlderField.PortSrc or OlderField.PortDst: _consistent &= _shape.IsIP && (_shape.Fragment & 2) == 0 && _shape.IpProto is 6 or 17 or 132; break;
            case OlderField.MplsLabel or OlderField.MplsTc: _consistent &= _shape.IsMpls; break;
        }
    }

    private void CheckEncap(Encap encap)
    {
        _shape.PacketType = encap.PacketType;
        if (encap.PacketType >> 16 == 1)
        {
            _shape.EthType = (ushort)encap.PacketType;
        }

        if (!_shape.IsIP)
        {
            _shape.IpProto = 0;
        }
    }

    private void CheckDecap()
    {
        // What comes out of a packet that is not Ethernet is known only then: no later action may look at its headers.
        const uint Unknown = 0xf0000;
        (_shape.PacketType, _shape.EthType) = _shape.IsEthernet ? (0x10000u | _shape.EthType, _shape.EthType) : (Unknown, (ushort)0xffff);
    }

    private void CheckLearn(Learn learn)
    {
        var learned = new FlowShape();
        foreach (var spec in learn.Specs)
        {
            if (spec.Source is { } source)
            {
                ActionBytes.CheckSource(source.Field, source.Offset, source.Count);
                Needs(source.Field);
            }

            if (spec.Target is not { } target)
            {
                continue;
            }

            ActionBytes.CheckSource(target.Field, target.Offset, target.Count);
            ActionBytes.Require(learned.Meets(target.Field.Prerequisite), Inconsistent);
            if (spec.Kind == LearnKind.Load)
            {
                ActionBytes.CheckTarget(target.Field, target.Offset, target.Count);
            }
            else if (spec.Source is null)
            {
                MatchCheck.Set(learned, target.Field, spec.Value << target.Offset, target.Mask);
            }
        }
    }

    private void CheckConntrack(Conntrack ct)
    {
        const uint InvalidState = 0x10;
        ActionBytes.Require(
            _shape.IsIP && !((_shape.CtState & InvalidState) != 0 && ct.Commit) && !(ct.Alg == 21 && _shape.IpProto != 6) && !(ct.Alg == 69 && _shape.IpProto != 17), Inconsistent);
        if (ct.ZoneSource is { } zone)
        {
            // Open vSwitch looks no further then.
            Needs(zone.Field);
            return;
        }

        var nested = ct.Exec.ToArray();
        _consistent &= new ActionCheck(_shape).Check(ct.Nat is null ? nested : [ct.Nat, .. nested]);
    }

    private void CheckNat(Nat nat) => ActionBytes.Require(
        _shape.IsIP && nat.Address?.AddressFamily switch { AddressFamily.InterNetwork => _shape.Layer3 == 0x0800, AddressFamily.InterNetworkV6 => _shape.Layer3 == 0x86dd, _ => true }, Inconsistent);
}
