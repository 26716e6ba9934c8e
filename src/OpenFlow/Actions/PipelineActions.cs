using System.Collections.Immutable;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Searches a table again and runs what is found, then goes on (NXAST_RESUBMIT, _TABLE, _TABLE_CT).</summary>
/// <param name="Table">The table; null for the current one.</param>
/// <param name="Port">The in_port during the search; <see cref="Ports.InPort"/> keeps it.</param>
/// <param name="WithConntrackTuple">Swaps the addresses with those of the original direction during the search.</param>
public sealed record Resubmit(byte? Table, uint Port = Ports.InPort, bool WithConntrackTuple = false) : FlowAction
{
    /// <summary>True when it came as NXAST_RESUBMIT, which names only a port.</summary>
    internal bool IsShort { get; init; }

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, IsShort && Table is null ? 1 : WithConntrackTuple ? 44 : 14);
        w.U16(Ports.ToOpenFlow10(Port));
        w.U8(IsShort && Table is null ? (byte)0 : Table ?? 255);
        w.Zeros(3);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        if (Port != Ports.InPort && Table is null)
        {
            text.Put("resubmit:");
            text.Port(Port);
            return;
        }

        text.Put("resubmit(");
        if (Port != Ports.InPort)
        {
            text.Port(Port);
        }

        text.Put(",");
        if (Table is { } table)
        {
            text.Table(table);
        }

        text.Optional(WithConntrackTuple, ",ct");
        text.Put(")");
    }
}

/// <summary>One clause of a conjunctive match (NXAST_CONJUNCTION, ovs-fields(7)).</summary>
/// <param name="Id">The conj_id that the packet has when every clause matches.</param>
/// <param name="Clause">Which clause, from 1.</param>
/// <param name="Clauses">How many clauses there are, 2 to 64.</param>
public sealed record Conjunction(uint Id, byte Clause, byte Clauses) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 34);
        w.U8((byte)(Clause - 1));
        w.U8(Clauses);
        w.U32(Id);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"conjunction({Id},{Clause}/{Clauses})");
}

/// <summary>Runs actions on a copy: what they change is undone after it (NXAST_CLONE).</summary>
public sealed record Clone(ActionList Actions) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 42);
        w.Zeros(6);
        w.Bytes(Actions.Encoded);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("clone(");
        text.Actions(Actions, "drop");
        text.Put(")");
    }
}

/// <summary>Bytes without effect (NXAST_NOTE).</summary>
public sealed record Note : FlowAction
{
    /// <summary>Keeps <paramref name="data"/>; the wire form is filled up with zeros to 6, 14, 22 ... bytes, and so is the note.</summary>
    public Note(ReadOnlySpan<byte> data)
    {
        var padded = new byte[((data.Length + 1) / 8 * 8) + 6];
        data.CopyTo(padded);
        Data = [.. padded];
    }

    /// <summary>The bytes with their padding.</summary>
    public ImmutableArray<byte> Data { get; }

    /// <inheritdoc/>
    public bool Equals(Note? other) => other is not null && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(Data.AsSpan());

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 8);
        w.Bytes(Data.AsSpan());
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("note:");
        text.HexBytes(Data.AsSpan());
    }
}

/// <summary>Shortens the flow's timeouts when a TCP FIN or RST passes (NXAST_FIN_TIMEOUT). Seconds; 0 leaves a timeout alone.</summary>
public sealed record FinTimeout(ushort IdleTimeout, ushort HardTimeout) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 19);
        w.U16(IdleTimeout);
        w.U16(HardTimeout);
        w.Zeros(2);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("fin_timeout(");
        text.Optional(IdleTimeout != 0, $"idle_timeout={IdleTimeout},");
        text.Optional(HardTimeout != 0, $"hard_timeout={HardTimeout},");
        text.Chomp(',');
        text.Put(")");
    }
}

/// <summary>Samples packets for IPFIX (NXAST_SAMPLE, 2 and 3).</summary>
/// <param name="Probability">Out of 65535; not 0.</param>
/// <param name="CollectorSetId">Row of Flow_Sample_Collector_Set.</param>
/// <param name="ObservationDomainId">Goes into the records.</param>
/// <param name="ObservationPointId">Goes into the records.</param>
/// <param name="SamplingPort">Port that the sample is about; null for none.</param>
/// <param name="Direction">0 default, 1 ingress, 2 egress.</param>
public sealed record Sample(ushort Probability, uint CollectorSetId, uint ObservationDomainId, uint ObservationPointId, uint? SamplingPort = null, byte Direction = 0) : FlowAction
{
    /// <summary>The subtype it came in with; 0 lets the operands decide.</summary>
    internal int Subtype { get; init; }

    internal override void Encode(WireWriter w)
    {
        var subtype = Subtype != 0 ? Subtype : Direction != 0 ? 41 : SamplingPort is not null ? 38 : 29;
        var start = BeginNicira(w, subtype);
        w.U16(Probability);
        w.U32(CollectorSetId);
        w.U32(ObservationDomainId);
        w.U32(ObservationPointId);
        if (subtype != 29)
        {
            w.U16(Ports.ToOpenFlow10(SamplingPort ?? Ports.Any));
            w.U8(Direction);
            w.Zeros(5);
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put($"sample(probability={Probability},collector_set_id={CollectorSetId},obs_domain_id={ObservationDomainId},obs_point_id={ObservationPointId}");
        if (SamplingPort is { } port)
        {
            text.Put(",sampling_port=");
            text.Port(port);
        }

        text.Optional(Direction == 1, ",ingress");
        text.Optional(Direction == 2, ",egress");
        text.Put(")");
    }
}

/// <summary>Adds a header of another packet type (NXAST_ENCAP).</summary>
/// <param name="PacketType">Namespace and type of the new header: 0 Ethernet, 0x1894f NSH, 0x18847 MPLS.</param>
/// <param name="HeaderSize">Bytes of the header; 0 where the type says it.</param>
/// <param name="Properties">Encoded properties (class 16, type 8, length 8, value), each padded to eight bytes.</param>
public sealed record Encap(uint PacketType, ushort HeaderSize, ImmutableArray<byte> Properties) : FlowAction
{
    /// <inheritdoc/>
    public bool Equals(Encap? other) =>
        other is not null && PacketType == other.PacketType && HeaderSize == other.HeaderSize && Properties.AsSpan().SequenceEqual(other.Properties.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PacketType, HeaderSize, ByteHash.Of(Properties.AsSpan()));

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 46);
        w.U16(HeaderSize);
        w.U32(PacketType);
        w.Bytes(Properties.AsSpan());
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        var name = EncapProperties.TypeName(PacketType);
        text.Put($"encap({name}");
        if (!Properties.IsEmpty)
        {
            text.Put("(");
            EncapProperties.Format(text, Properties.AsSpan());
            text.Put(")");
        }

        text.Put(")");
    }
}

/// <summary>Removes the outer header (NXAST_DECAP).</summary>
/// <param name="PacketType">What is below; 0xfffe = what the header says.</param>
public sealed record Decap(uint PacketType = 0xfffe) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 47);
        w.Zeros(2);
        w.U32(PacketType);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("decap(");
        if (PacketType != 0xfffe)
        {
            text.Put($"packet_type(ns={PacketType >> 16},type=");
            text.Hex(PacketType & 0xffff);
            text.Put(")");
        }

        text.Put(")");
    }
}
