using System.Collections.Immutable;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A kind of message that a switch sends without being asked for it.</summary>
public enum AsyncMessage : ushort
{
    /// <summary>Packet-in: reasons 1 no match, 2 action, 4 invalid TTL.</summary>
    PacketIn,

    /// <summary>Port-status: reasons 1 added, 2 deleted, 4 modified.</summary>
    PortStatus,

    /// <summary>Flow-removed: reasons 1 idle, 2 hard, 4 delete, 8 group delete, 16 meter delete, 32 eviction.</summary>
    FlowRemoved,

    /// <summary>Role-status: reasons 1 another became master, 2 configuration, 4 experimenter data.</summary>
    RoleStatus,

    /// <summary>Table-status, which Open vSwitch sends from OpenFlow 1.4 on: reasons 8 vacancy down, 16 vacancy up.</summary>
    TableStatus,

    /// <summary>Request forward (<see cref="Messages.RequestForward"/>): reasons 1 group mod, 2 meter mod.</summary>
    RequestForward,
}

/// <summary>For which reasons a switch sends one kind of message.</summary>
/// <param name="Message">The kind.</param>
/// <param name="IsSlave">Whether it is meant for the slave role; otherwise for master and equal.</param>
/// <param name="Reasons">Bit n = reason n; 0 sends none.</param>
public readonly record struct AsyncSetting(AsyncMessage Message, bool IsSlave, uint Reasons);

/// <summary>Changes which messages a switch sends unasked, and leaves what is not named as it is (NXT_SET_ASYNC_CONFIG2 of Open vSwitch, nicira-ext.h).</summary>
/// <remarks><see cref="AsyncConfig"/> of OpenFlow 1.3 itself sets all of packet-in, port-status and flow-removed, and knows no other kinds.
/// The switch answers only when it refuses: OFPACFC_UNSUPPORTED for a kind, OFPACFC_INVALID for a reason that it does not know.</remarks>
/// <param name="Settings">The changes; of two for the same kind and role the last counts.</param>
public sealed record AsyncSettings(ImmutableArray<AsyncSetting> Settings) : OpenFlowMessage
{
    internal const uint Subtype = 27;
    private const int PropertyLength = 8;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <summary>Asks to be told of the group and meter mods of other controllers: <see cref="Switch.OpenFlowSwitch.RequestForwarded"/>.</summary>
    public static AsyncSettings ForwardRequests { get; } = new([new AsyncSetting(AsyncMessage.RequestForward, false, 3), new AsyncSetting(AsyncMessage.RequestForward, true, 3)]);

    /// <inheritdoc/>
    public bool Equals(AsyncSettings? other) => other is not null && Settings.AsSpan().SequenceEqual(other.Settings.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Settings.Length, Settings.IsEmpty ? default : Settings[0]);

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(Subtype);
        foreach (var setting in Settings)
        {
            w.U16((ushort)(((int)setting.Message * 2) + (setting.IsSlave ? 0 : 1)));
            w.U16(PropertyLength);
            w.U32(setting.Reasons);
        }
    }

    internal static AsyncSettings Decode(ref WireReader r)
    {
        var settings = ImmutableArray.CreateBuilder<AsyncSetting>();
        while (r.Remaining > 0)
        {
            var (type, length) = (r.U16(), r.U16());
            if (length != PropertyLength)
            {
                throw new OpenFlowFormatException($"async config: property {type} has a length of {length}, not {PropertyLength}", "OFPBPC_BAD_LEN");
            }

            settings.Add(new AsyncSetting((AsyncMessage)(type / 2), type % 2 == 0, r.U32()));
        }

        return new AsyncSettings(settings.ToImmutable());
    }
}
