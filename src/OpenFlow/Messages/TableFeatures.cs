using System.Collections.Immutable;
using System.Text;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What the flows of a table can do: one set for ordinary flows, one for the table miss (OpenFlow 1.3.5 section 7.3.5.5.2).</summary>
public sealed record TableAbilities
{
    /// <summary>Bit n = instruction type n (1 goto_table, 2 write_metadata, 3 write_actions, 4 apply_actions, 5 clear_actions, 6 meter).</summary>
    public uint Instructions { get; init; }

    /// <summary>The tables that goto_table can name, ascending.</summary>
    public ImmutableArray<byte> NextTables { get; init; } = [];

    /// <summary>Bit n = action type n is possible in write_actions.</summary>
    public uint WriteActions { get; init; }

    /// <summary>Bit n = action type n is possible in apply_actions.</summary>
    public uint ApplyActions { get; init; }

    /// <summary>The fields that set_field can write in write_actions.</summary>
    public ImmutableArray<Field> WriteFields { get; init; } = [];

    /// <summary>The fields that set_field can write in apply_actions.</summary>
    public ImmutableArray<Field> ApplyFields { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(TableAbilities? other) => other is not null && Instructions == other.Instructions && WriteActions == other.WriteActions
        && ApplyActions == other.ApplyActions && NextTables.AsSpan().SequenceEqual(other.NextTables.AsSpan())
        && WriteFields.AsSpan().SequenceEqual(other.WriteFields.AsSpan()) && ApplyFields.AsSpan().SequenceEqual(other.ApplyFields.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Instructions, WriteActions, ApplyActions, NextTables.Length, WriteFields.Length, ApplyFields.Length);

    /// <summary>True when nothing at all is possible.</summary>
    internal bool IsEmpty => Instructions == 0 && NextTables.IsEmpty && WriteActions == 0 && ApplyActions == 0 && WriteFields.IsEmpty && ApplyFields.IsEmpty;
}

/// <summary>A field that a table can match.</summary>
/// <param name="Field">The field.</param>
/// <param name="IsMaskable">True when a condition may give any mask.</param>
/// <param name="IsOptional">True when a flow may leave it out; otherwise every flow must match it.</param>
public readonly record struct TableField(Field Field, bool IsMaskable, bool IsOptional);

/// <summary>What a table can do (OFPMP_TABLE_FEATURES, OpenFlow 1.3.5 section 7.3.5.5).</summary>
/// <remarks>Properties, fields and instructions that the library does not know are left out, as Open vSwitch leaves them out.</remarks>
/// <param name="Table">The table, 0 to 254.</param>
/// <param name="Name">Its name; at most 31 bytes of UTF-8.</param>
public sealed record TableFeatures(byte Table, string Name = "")
{
    /// <summary>Bits of the metadata field that can be matched.</summary>
    public ulong MetadataMatch { get; init; }

    /// <summary>Bits of the metadata field that write_metadata can write.</summary>
    public ulong MetadataWrite { get; init; }

    /// <summary>How many flows the table holds at most.</summary>
    public uint MaxEntries { get; init; }

    /// <summary>What ordinary flows can do.</summary>
    public TableAbilities Flows { get; init; } = new();

    /// <summary>What the table-miss flow can do.</summary>
    public TableAbilities Miss { get; init; } = new();

    /// <summary>The fields that can be matched.</summary>
    public ImmutableArray<TableField> Match { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(TableFeatures? other) => other is not null && Table == other.Table && Name == other.Name && MetadataMatch == other.MetadataMatch
        && MetadataWrite == other.MetadataWrite && MaxEntries == other.MaxEntries && Flows == other.Flows && Miss == other.Miss
        && Match.AsSpan().SequenceEqual(other.Match.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Table, Name, Flows, Match.Length);

    /// <summary>Appends the entry of this table to a request or reply.</summary>
    internal void Encode(WireWriter w)
    {
        var start = w.Length;
        w.U16(0);
        w.U8(Table);
        w.Zeros(5);
        var name = Encoding.UTF8.GetBytes(Name);
        w.Bytes(name.Length <= 31 ? name : throw new OpenFlowFormatException($"table {Table}: the name {Name} has more than 31 bytes"));
        w.Zeros(32 - name.Length);
        w.U64(MetadataMatch);
        w.U64(MetadataWrite);
        w.U32(0);
        w.U32(MaxEntries);
        TableFeaturesCodec.Write(w, this);
        w.PatchU16(start, w.Length - start);
    }
}
