using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Sends the packet to a port (OFPAT_OUTPUT).</summary>
/// <param name="Port">A port number, or a reserved one of <see cref="Ports"/>.</param>
/// <param name="MaxLength">For <see cref="Ports.Controller"/>: how many bytes to send; 0xffff = all. Otherwise 0.</param>
public sealed record Output(uint Port, ushort MaxLength = 0) : FlowAction
{
    /// <summary>Sends the packet back where it came from.</summary>
    public static Output InPort { get; } = new(Ports.InPort);

    /// <summary>Lets the switch forward it as a learning switch.</summary>
    public static Output Normal { get; } = new(Ports.Normal);

    /// <summary>Sends the whole packet to the controller.</summary>
    public static Output Controller { get; } = new(Ports.Controller, 0xffff);

    internal override void Encode(WireWriter w)
    {
        w.U16(0);
        w.U16(16);
        w.U32(Port);
        w.U16(MaxLength);
        w.Zeros(6);
    }

    internal override void Format(FlowTextWriter text)
    {
        if (Ports.ReservedName(Port) is null)
        {
            text.Put("output:");
        }

        text.Port(Port);
        if (Port == Ports.Controller)
        {
            text.Put($":{MaxLength}");
        }
    }
}

/// <summary>Sends the packet to the port whose number is in a field (NXAST_OUTPUT_REG).</summary>
public sealed record OutputReg(BitRange Source, ushort MaxLength = 0xffff) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var experimenter = Source.Field.IsNxmExperimenter;
        var start = BeginNicira(w, experimenter ? 32 : 15);
        w.U16(SubfieldCodec.OffsetAndCount(Source));
        if (experimenter)
        {
            w.U16(MaxLength);
            OxmCodec.WriteHeader(w, Source.Field.NxmHeader);
        }
        else
        {
            OxmCodec.WriteHeader(w, Source.Field.NxmHeader);
            w.U16(MaxLength);
        }

        w.Zeros(start + 24 - w.Length);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"output:{Source}");
}

/// <summary>Sends the first bytes of the packet to a port (NXAST_OUTPUT_TRUNC).</summary>
public sealed record OutputTruncated(uint Port, uint MaxLength) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 39);
        w.U16(Ports.ToOpenFlow10(Port));
        w.U32(MaxLength);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("output(port=");
        text.Port(Port);
        text.Put($",max_len={MaxLength})");
    }
}

/// <summary>Runs a group (OFPAT_GROUP).</summary>
public sealed record ToGroup(uint GroupId) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        w.U16(22);
        w.U16(8);
        w.U32(GroupId);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"group:{GroupId}");
}

/// <summary>Chooses the queue of later outputs (OFPAT_SET_QUEUE).</summary>
public sealed record SetQueue(uint QueueId) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        w.U16(21);
        w.U16(8);
        w.U32(QueueId);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"set_queue:{QueueId}");
}

/// <summary>Goes back to the queue from before <see cref="SetQueue"/> (NXAST_POP_QUEUE).</summary>
public sealed record PopQueue : FlowAction
{
    internal override void Encode(WireWriter w) => EmptyNicira(w, 5);

    internal override void Format(FlowTextWriter text) => text.Put("pop_queue");
}

/// <summary>Sends the packet to a controller (NXAST_CONTROLLER, or NXAST_CONTROLLER2 where user data, pause or a meter are given).</summary>
public sealed record ToController : FlowAction
{
    /// <summary>How many bytes to send; 0xffff = all.</summary>
    public ushort MaxLength { get; init; } = 0xffff;

    /// <summary>The connection id that <c>SetControllerIdAsync</c> gave; 0 by default.</summary>
    public ushort ControllerId { get; init; }

    /// <summary>The reason in the packet-in; 1 = action.</summary>
    public byte Reason { get; init; } = 1;

    /// <summary>Bytes that the packet-in repeats.</summary>
    public ReadOnlyMemory<byte> UserData { get; init; }

    /// <summary>Stops the pipeline until the controller resumes it.</summary>
    public bool Pause { get; init; }

    /// <summary>Meter that limits the packet-ins; 0 for none.</summary>
    public uint MeterId { get; init; }

    /// <summary>True when it came, or must go, as NXAST_CONTROLLER2.</summary>
    internal bool IsExtended { get; init; }

    /// <inheritdoc/>
    public bool Equals(ToController? other) => other is not null && MaxLength == other.MaxLength && ControllerId == other.ControllerId && Reason == other.Reason
        && Pause == other.Pause && MeterId == other.MeterId && UserData.Span.SequenceEqual(other.UserData.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxLength, ControllerId, Reason, Pause, MeterId, ByteHash.Of(UserData.Span));

    internal override void Encode(WireWriter w)
    {
        if (!IsExtended && UserData.IsEmpty && !Pause && MeterId == 0)
        {
            var simple = BeginNicira(w, 20);
            w.U16(MaxLength);
            w.U16(ControllerId);
            w.U8(Reason);
            w.U8(0);
            End(w, simple);
            return;
        }

        var start = BeginNicira(w, 37);
        w.Zeros(6);
        if (MaxLength != 0xffff)
        {
            Property16(w, 0, MaxLength);
        }

        if (ControllerId != 0)
        {
            Property16(w, 1, ControllerId);
        }

        if (Reason != 1)
        {
            w.U16(2);
            w.U16(5);
            w.U8(Reason);
            w.Zeros(3);
        }

        if (!UserData.IsEmpty)
        {
            var property = w.Length;
            w.U16(3);
            w.U16(checked((ushort)(4 + UserData.Length)));
            w.Bytes(UserData.Span);
            w.Pad8(property);
        }

        if (Pause)
        {
            w.U16(4);
            w.U16(4);
            w.Zeros(4);
        }

        if (MeterId != 0)
        {
            w.U16(5);
            w.U16(8);
            w.U32(MeterId);
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        if (Reason == 1 && ControllerId == 0 && UserData.IsEmpty && !Pause && MeterId == 0)
        {
            text.Put($"CONTROLLER:{MaxLength}");
            return;
        }

        text.Put("controller(");
        text.Optional(Reason != 1, $"reason={Messages.PacketInReasons.Name(Reason)},");
        text.Optional(MaxLength != 0xffff, $"max_len={MaxLength},");
        text.Optional(ControllerId != 0, $"id={ControllerId},");
        if (!UserData.IsEmpty)
        {
            text.Put("userdata=");
            text.HexBytes(UserData.Span);
            text.Put(",");
        }

        text.Optional(Pause, "pause,");
        text.Optional(MeterId != 0, $"meter_id={MeterId},");
        text.Chomp(',');
        text.Put(")");
    }

    private static void Property16(WireWriter w, ushort type, ushort value)
    {
        // OpenFlow gives properties of 16 bits a length of 8 (ofpprop_put_be16 in OVS).
        w.U16(type);
        w.U16(8);
        w.U16(value);
        w.Zeros(2);
    }
}
