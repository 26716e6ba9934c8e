using System.Buffers.Binary;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Instructions;

/// <summary>Everything a flow does, immutable, kept as wire bytes in the order in which Open vSwitch lists instructions. Empty = drop.</summary>
public readonly struct FlowInstructions : IEquatable<FlowInstructions>
{
    [ThreadStatic]
    private static WireWriter? _writer;

    private readonly byte[]? _bytes;

    private FlowInstructions(byte[] bytes) => _bytes = bytes.Length == 0 ? null : bytes;

    /// <summary>Drops the packet.</summary>
    public static FlowInstructions Drop => default;

    /// <summary>True when there is no instruction.</summary>
    public bool IsDrop => _bytes is null;

    /// <summary>The wire form.</summary>
    public ReadOnlySpan<byte> Encoded => _bytes;

    /// <summary>Actions run in the order given (apply_actions); instructions take their canonical places around them.</summary>
    /// <exception cref="ArgumentException">An instruction is given twice.</exception>
    public static FlowInstructions Of(params ReadOnlySpan<FlowStep> steps)
    {
        var writer = _writer ??= new WireWriter();
        writer.Clear();
        for (var order = 0; order <= 5; order++)
        {
            if (order == 1)
            {
                WriteApplied(writer, steps);
                continue;
            }

            var found = false;
            foreach (var step in steps)
            {
                if (step is Instruction instruction && instruction.Order == order)
                {
                    if (found)
                    {
                        throw new ArgumentException($"{instruction} is a second instruction of its kind: a flow has one of each", nameof(steps));
                    }

                    found = true;
                    instruction.Encode(writer);
                }
            }
        }

        return new FlowInstructions(writer.ToArray());
    }

    /// <summary>Copies instructions off the wire, into canonical order where they are not.</summary>
    /// <exception cref="OpenFlowFormatException">A length is wrong, or an instruction is unknown.</exception>
    internal static FlowInstructions Read(ReadOnlySpan<byte> data)
    {
        var last = -1;
        var canonical = true;
        for (var rest = data; rest.Length > 0;)
        {
            var length = InstructionLength(rest);
            var type = BinaryPrimitives.ReadUInt16BigEndian(rest);
            var order = type switch { 6 => 0, 4 => 1, 5 => 2, 3 => 3, 2 => 4, 1 => 5, _ => throw new OpenFlowFormatException($"unknown instruction {type}", "OFPBIC_UNKNOWN_INST") };
            if (type is 3 or 4)
            {
                ActionList.Check(rest[8..length]);
            }

            canonical &= order > last && !(type == 4 && length == 8);
            last = order;
            rest = rest[length..];
        }

        return canonical ? new FlowInstructions(data.ToArray()) : Reordered(data);
    }

    /// <summary>Decodes the instructions.</summary>
    public IEnumerable<Instruction> Instructions
    {
        get
        {
            for (var offset = 0; _bytes is not null && offset < _bytes.Length;)
            {
                var length = InstructionLength(_bytes.AsSpan(offset));
                yield return Decode(_bytes.AsSpan(offset, length));
                offset += length;
            }
        }
    }

    /// <summary>The actions that run at once (apply_actions).</summary>
    public ActionList Applied
    {
        get
        {
            foreach (var instruction in Instructions)
            {
                if (instruction is ApplyActions apply)
                {
                    return apply.Actions;
                }
            }

            return default;
        }
    }

    /// <summary>Where the pipeline goes on; null when it ends here.</summary>
    public byte? Next => _bytes is { Length: >= 8 } b && BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(b.Length - 8)) == 1 && LastLength(b) == 8 ? b[^4] : null;

    /// <inheritdoc/>
    public bool Equals(FlowInstructions other) => Encoded.SequenceEqual(other.Encoded);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FlowInstructions other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(_bytes);

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(FlowInstructions a, FlowInstructions b) => a.Equals(b);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(FlowInstructions a, FlowInstructions b) => !a.Equals(b);

    /// <summary>What ovs-ofctl prints behind "actions=".</summary>
    public override string ToString()
    {
        var text = new Text.FlowTextWriter(null);
        text.Instructions(this);
        return text.ToString();
    }

    private static int LastLength(byte[] bytes)
    {
        var length = 0;
        for (var offset = 0; offset < bytes.Length; offset += length)
        {
            length = InstructionLength(bytes.AsSpan(offset));
        }

        return length;
    }

    private static FlowInstructions Reordered(ReadOnlySpan<byte> data)
    {
        var steps = new List<FlowStep>();
        while (data.Length > 0)
        {
            var length = InstructionLength(data);
            steps.Add(Decode(data[..length]));
            data = data[length..];
        }

        try
        {
            return Of([.. steps]);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowFormatException(e.Message, "OFPBIC_DUP_INST");
        }
    }

    private static void WriteApplied(WireWriter writer, ReadOnlySpan<FlowStep> steps)
    {
        var start = writer.Length;
        writer.U16(4);
        writer.U16(0);
        writer.U32(0);
        foreach (var step in steps)
        {
            switch (step)
            {
                case FlowAction action: action.Encode(writer); break;
                case ApplyActions apply: writer.Bytes(apply.Actions.Encoded); break;
            }
        }

        if (writer.Length == start + 8)
        {
            writer.Truncate(start);
        }
        else
        {
            writer.PatchU16(start + 2, writer.Length - start);
        }
    }

    private static int InstructionLength(ReadOnlySpan<byte> data)
    {
        var length = data.Length < 4 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        var type = length == 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(data);
        var right = type switch { 1 or 6 => length == 8, 2 => length == 24, _ => length >= 8 && length % 8 == 0 };
        return right && length <= data.Length ? length : throw new OpenFlowFormatException($"an instruction {type} of length {length} in {data.Length} bytes", "OFPBIC_BAD_LEN");
    }

    private static Instruction Decode(ReadOnlySpan<byte> data)
    {
        var r = new WireReader(data);
        var type = r.U16();
        r.Skip(2);
        switch (type)
        {
            case 1: return new GotoTable(r.U8());
            case 2:
                r.Skip(4);
                return new WriteMetadata(r.U64(), r.U64());
            case 3:
                r.Skip(4);
                return new WriteActions(ActionList.Read(r.Rest));
            case 4:
                r.Skip(4);
                return new ApplyActions(ActionList.Read(r.Rest));
            case 5: return new ClearActions();
            default: return new Meter(r.U32());
        }
    }
}
