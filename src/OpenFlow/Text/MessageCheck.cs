using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text;

/// <summary>What Open vSwitch refuses in a message whose bytes are in order: ports, roles, flags, prerequisites.</summary>
/// <remarks>The decoder takes such messages, as a switch other than Open vSwitch may know more; ofp-print does not.</remarks>
internal static class MessageCheck
{
    private const ushort KnownFlowFlags = 0x1f;

    /// <exception cref="OpenFlowFormatException">Open vSwitch answers with the error that the exception names.</exception>
    public static void Check(OpenFlowMessage message)
    {
        switch (message)
        {
            case FlowMod mod:
                CheckFlow(mod.Flow);
                CheckPort(mod.OutPort);
                break;
            case FlowRemoved removed: CheckMatch(removed.Flow.Match, strict: true); break;
            case PacketIn packet: CheckMatch(packet.Metadata, strict: false); break;
            case PacketOut packet:
                CheckPort(packet.InPort);
                CheckActions(packet.Actions, default, checkFields: false);
                break;
            case GroupMod group:
                foreach (var bucket in group.Group.Buckets)
                {
                    CheckActions(bucket.Actions, default, checkFields: false);
                }

                break;
            case RoleMessage { Role: > 3 }: throw new OpenFlowFormatException("a role over 3", "OFPRRFC_BAD_ROLE");
            case QueueConfigRequest queues: CheckPort(queues.Port); break;
            case ErrorMessage error when ErrorNames.Find(error.ErrorType, error.Code, error.Experimenter) is null:
                throw new OpenFlowFormatException("an error that Open vSwitch does not know", "OFPBRC_BAD_LEN");
        }
    }

    /// <summary>A flow of a mod or of a reply.</summary>
    public static void CheckFlow(Entries.Flow flow)
    {
        CheckMatch(flow.Match, strict: true);
        foreach (var instruction in flow.Instructions.Instructions)
        {
            if (instruction is ApplyActions apply)
            {
                CheckActions(apply.Actions, flow.Match, checkFields: true);
            }
            else if (instruction is WriteActions write)
            {
                CheckActions(write.Actions, flow.Match, checkFields: true);
            }
        }

        if (((ushort)flow.Flags & ~KnownFlowFlags) != 0)
        {
            throw new OpenFlowFormatException("unknown flow flags", "OFPFMFC_BAD_FLAGS");
        }
    }

    /// <summary>A port: below 0xff00, or one of the reserved numbers.</summary>
    public static void CheckPort(uint port, string error = "OFPBAC_BAD_OUT_PORT")
    {
        if (port is >= Ports.Max and < 0xffffff00)
        {
            throw new OpenFlowFormatException($"port {port} does not exist", error);
        }
    }

    private static void CheckMatch(Match match, bool strict)
    {
        if (strict && match.HasUnknown)
        {
            throw new OpenFlowFormatException("an unknown field", "OFPBMC_BAD_FIELD");
        }

        foreach (var condition in match)
        {
            if (condition.Field == F.InPort || condition.Field == F.ActsetOutput)
            {
                CheckPort((uint)condition.Value, "OFPBMC_BAD_VALUE");
            }

            if (strict && !IsMet(condition.Field.Prerequisite, match))
            {
                throw new OpenFlowFormatException($"{condition.Field.Name} without its prerequisites", "OFPBMC_BAD_PREREQ");
            }
        }
    }

    private static void CheckActions(ActionList actions, Match match, bool checkFields)
    {
        foreach (var action in actions)
        {
            // Headers that come or go change what later actions may name.
            checkFields &= action is not (ChangeHeader { Operation: HeaderOperation.PushMpls or HeaderOperation.PopMpls } or Encap or Decap);
            switch (action)
            {
                case Output output: CheckPort(output.Port); break;
                case Conntrack ct: CheckActions(ct.Exec, match, checkFields: false); break;
                case Clone clone: CheckActions(clone.Actions, match, checkFields); break;
                case SetField set when checkFields: CheckTarget(set.Field, match); break;
                case RegLoad load when checkFields: CheckTarget(load.Target.Field, match); break;
                case RegMove move when checkFields:
                    CheckTarget(move.Source.Field, match);
                    CheckTarget(move.Target.Field, match);
                    break;
                case FinTimeout when checkFields && !IsMet(Prerequisite.Tcp, match):
                    throw new OpenFlowFormatException("fin_timeout needs tcp", "OFPBAC_MATCH_INCONSISTENT");
            }
        }
    }

    private static void CheckTarget(Field field, Match match)
    {
        if (field.Prerequisite != Prerequisite.VlanVid && !IsMet(field.Prerequisite, match))
        {
            throw new OpenFlowFormatException($"{field.Name} does not fit the match", "OFPBAC_MATCH_INCONSISTENT");
        }
    }

    private static bool IsMet(Prerequisite prerequisite, Match match)
    {
        var type = Exact(F.EthType);
        var ip = type is 0x0800 or 0x86dd;
        return prerequisite switch
        {
            Prerequisite.Arp => type is 0x0806 or 0x8035,
            Prerequisite.IPv4 => type == 0x0800,
            Prerequisite.IPv6 => type == 0x86dd,
            Prerequisite.IPAny => ip,
            Prerequisite.Mpls => type is 0x8847 or 0x8848,
            Prerequisite.Nsh => type == 0x894f,
            Prerequisite.Tcp => ip && Exact(F.IpProto) == 6,
            Prerequisite.Udp => ip && Exact(F.IpProto) == 17,
            Prerequisite.Sctp => ip && Exact(F.IpProto) == 132,
            Prerequisite.Icmpv4 => type == 0x0800 && Exact(F.IpProto) == 1,
            Prerequisite.Icmpv6 => type == 0x86dd && Exact(F.IpProto) == 58,
            Prerequisite.Nd => Neighbor(135) || Neighbor(136),
            Prerequisite.NdSolicit => Neighbor(135),
            Prerequisite.NdAdvert => Neighbor(136),
            _ => true,
        };

        uint? Exact(Field field) => match.TryGet(field, out var c) && c.IsExact ? (uint)c.Value
            : field == F.EthType && match.TryGet(F.PacketType, out var packetType) && (uint)packetType.Value >> 16 == 1 ? (uint)packetType.Value & 0xffff : null;

        bool Neighbor(uint kind) => type == 0x86dd && Exact(F.IpProto) == 58 && Exact(F.Icmpv6Type) == kind;
    }
}
