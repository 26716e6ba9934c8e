using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>A packet as the pipeline sees it: a value for every field, zero where the packet has none.</summary>
/// <remarks>Mutable while it runs; <see cref="Copy"/> before keeping one. One VLAN tag and one MPLS label are known.</remarks>
public sealed class SimulatedPacket
{
    private readonly UInt128[] _values;

    private SimulatedPacket(UInt128[] values) => _values = values;

    /// <summary>A packet with these values; masked conditions set only their bits. Prerequisites are added as in <see cref="Match.Of"/>.</summary>
    public static SimulatedPacket Of(params ReadOnlySpan<FieldMatch> values) => From(Match.Of(values));

    /// <summary>A packet in the syntax of a match: "in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_dst=80".</summary>
    /// <exception cref="OpenFlowTextException">The text is not a match.</exception>
    public static SimulatedPacket Parse(string text) => From(new Text.FlowTextParser(null).Match(text));

    /// <summary>A packet with the values of a match.</summary>
    public static SimulatedPacket From(Match match)
    {
        var packet = new SimulatedPacket(new UInt128[F.All.Length]);
        foreach (var condition in match)
        {
            packet._values[condition.Field.Order] = condition.Value;
        }

        return packet;
    }

    /// <summary>An independent copy.</summary>
    public SimulatedPacket Copy() => new((UInt128[])_values.Clone());

    /// <summary>The value of a field, as a number.</summary>
    public UInt128 this[Field field]
    {
        get => field.IsAlias ? ReadAlias(field) : _values[field.Order];
        set
        {
            if (field.IsAlias)
            {
                WriteAlias(field, value);
            }
            else
            {
                _values[field.Order] = value & field.FullMask;
            }
        }
    }

    /// <summary>The typed value of a field.</summary>
    public T Get<T>(Field<T> field)
        where T : notnull => field.Value(this[field]);

    /// <summary>Bits of a field.</summary>
    public UInt128 Read(BitRange range) => range.Read(this[range.Field]);

    /// <summary>Writes bits of a field.</summary>
    public void Write(BitRange range, UInt128 value) => this[range.Field] = range.Write(this[range.Field], value);

    /// <summary>True when the packet satisfies every condition.</summary>
    public bool Satisfies(Match match)
    {
        foreach (var condition in match)
        {
            if (!condition.Accepts(_values[condition.Field.Order]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The fields that are not zero, in the syntax of a match without prerequisites' words.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        foreach (var field in F.All)
        {
            if (!field.IsAlias && _values[field.Order] != 0)
            {
                parts.Add(new FieldMatch(field, _values[field.Order], field.FullMask).ToString());
            }
        }

        return string.Join(',', parts);
    }

    internal void CopyFrom(SimulatedPacket other) => other._values.CopyTo(_values, 0);

    private UInt128 ReadAlias(Field field)
    {
        if (field == F.InPort16)
        {
            return Ports.ToOpenFlow10((uint)_values[F.InPort.Order]);
        }

        if (field == F.VlanTci)
        {
            return _values[F.VlanVid.Order] | (_values[F.VlanPcp.Order] << 13);
        }

        if (field == F.IpTos)
        {
            return _values[F.IpDscp.Order] << 2;
        }

        var (first, words) = Registers(field);
        UInt128 value = 0;
        for (var i = 0; i < words; i++)
        {
            value = (value << 32) | _values[F.Reg0.Order + first + i];
        }

        return value;
    }

    private void WriteAlias(Field field, UInt128 value)
    {
        if (field == F.InPort16)
        {
            _values[F.InPort.Order] = Ports.FromOpenFlow10((ushort)value);
        }
        else if (field == F.VlanTci)
        {
            _values[F.VlanVid.Order] = value & 0x1fff;
            _values[F.VlanPcp.Order] = value >> 13;
        }
        else if (field == F.IpTos)
        {
            _values[F.IpDscp.Order] = value >> 2;
        }
        else
        {
            var (first, words) = Registers(field);
            for (var i = words - 1; i >= 0; i--)
            {
                _values[F.Reg0.Order + first + i] = (uint)value;
                value >>= 32;
            }
        }
    }

    private static (int First, int Words) Registers(Field field) => field.Bits == 64
        ? ((field.Order - F.XReg0.Order) * 2, 2)
        : ((field.Order - F.XXReg0.Order) * 4, 4);
}
