using System.Collections.Immutable;
using System.Text;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Properties of table features (ofp_table_feature_prop_type): even numbers for flows, odd ones for the table miss.</summary>
internal static class TableFeaturesCodec
{
    private const int Instructions = 0;
    private const int NextTables = 2;
    private const int WriteActions = 4;
    private const int ApplyActions = 6;
    private const int MatchFields = 8;
    private const int Wildcards = 10;
    private const int WriteFields = 12;
    private const int ApplyFields = 14;
    private const int FirstExperimenter = 0xffff;
    private const uint Required = 1 << Instructions | 1 << NextTables | 1 << WriteActions | 1 << ApplyActions | 1 << MatchFields | 1 << Wildcards | 1 << WriteFields | 1 << ApplyFields;
    private const int EntryLength = 64;

    // Bits of action and instruction types that OpenFlow 1.3 and Open vSwitch share.
    private const uint KnownActions = 0x03ff8001;
    private const uint KnownInstructions = 0x7e;

    /// <summary>Reads the next entry.</summary>
    /// <exception cref="OpenFlowFormatException">It is damaged; the error's name is what Open vSwitch answers.</exception>
    public static TableFeatures Read(ref WireReader r)
    {
        if (r.Remaining < EntryLength)
        {
            throw new OpenFlowFormatException($"table features in {r.Remaining} bytes, at least {EntryLength} are right", "OFPBPC_BAD_LEN");
        }

        var length = r.U16();
        if (length < EntryLength || length % 8 != 0 || length - 2 > r.Remaining)
        {
            throw new OpenFlowFormatException($"table features of length {length} in {r.Remaining + 2} bytes", "OFPBPC_BAD_LEN");
        }

        var e = new WireReader(r.Take(length - 2));
        var table = e.U8();
        if (table == 255)
        {
            throw new OpenFlowFormatException("table features of table 255", "OFPTFFC_BAD_TABLE");
        }

        e.Skip(5);
        var name = e.Take(32);
        var end = name[..31].IndexOf((byte)0);
        var features = new TableFeatures(table, Encoding.UTF8.GetString(name[..(end < 0 ? 31 : end)])) { MetadataMatch = e.U64(), MetadataWrite = e.U64() };
        e.Skip(4);
        return ReadProperties(features with { MaxEntries = e.U32() }, ref e);
    }

    public static void Write(WireWriter w, TableFeatures features)
    {
        WriteAbilities(w, features.Flows, 0);
        if (features.Miss != features.Flows)
        {
            WriteAbilities(w, features.Miss, 1);
        }

        var start = Begin(w, MatchFields);
        foreach (var field in features.Match)
        {
            OxmCodec.WriteHeader(w, field.IsMaskable ? OxmCodec.WithMask(field.Field.OxmHeader) : field.Field.OxmHeader);
        }

        End(w, start);
        WriteHeaders(w, Wildcards, features.Match.Where(f => f.IsOptional).Select(f => f.Field));
    }

    private static TableFeatures ReadProperties(TableFeatures features, ref WireReader r)
    {
        TableAbilities[] abilities = [new(), new()];
        List<(Field Field, bool Masked)> match = [];
        List<(Field Field, bool Masked)> optional = [];
        uint seen = 0;
        while (r.Remaining > 0)
        {
            var (type, body) = Property(ref r, 8, FirstExperimenter);
            if (type < 32 && (seen & 1u << type) != 0)
            {
                throw new OpenFlowFormatException($"table features: property {type} is given twice", "OFPTFFC_BAD_FEATURES");
            }

            seen |= type < 32 ? 1u << type : 0;
            ref var side = ref abilities[type & 1];
            switch (type & ~1)
            {
                case Instructions: side = side with { Instructions = Types(body) & KnownInstructions }; break;
                case NextTables: side = side with { NextTables = Tables(body) }; break;
                case WriteActions: side = side with { WriteActions = Types(body) & KnownActions }; break;
                case ApplyActions: side = side with { ApplyActions = Types(body) & KnownActions }; break;
                case MatchFields when type == MatchFields: Headers(body, match, masks: true); break;
                case Wildcards when type == Wildcards: Headers(body, optional, masks: false); break;
                case WriteFields: side = side with { WriteFields = Writable(body) }; break;
                case ApplyFields: side = side with { ApplyFields = Writable(body) }; break;
            }
        }

        if ((seen & Required) != Required)
        {
            throw new OpenFlowFormatException("table features without all the properties that are required", "OFPTFFC_BAD_FEATURES");
        }

        return features with { Flows = abilities[0], Miss = Inherit(abilities[0], abilities[1], seen), Match = Join(match, optional) };
    }

    /// <summary>A property of the table miss that is left out is that of flows.</summary>
    private static TableAbilities Inherit(TableAbilities flows, TableAbilities miss, uint seen)
    {
        return miss with
        {
            Instructions = Has(Instructions) ? miss.Instructions : flows.Instructions,
            NextTables = Has(NextTables) ? miss.NextTables : flows.NextTables,
            WriteActions = Has(WriteActions) ? miss.WriteActions : flows.WriteActions,
            ApplyActions = Has(ApplyActions) ? miss.ApplyActions : flows.ApplyActions,
            WriteFields = Has(WriteFields) ? miss.WriteFields : flows.WriteFields,
            ApplyFields = Has(ApplyFields) ? miss.ApplyFields : flows.ApplyFields,
        };

        bool Has(int property) => (seen & 1u << (property + 1)) != 0;
    }

    /// <summary>What can be masked can be matched and left out.</summary>
    private static ImmutableArray<TableField> Join(List<(Field Field, bool Masked)> match, List<(Field Field, bool Masked)> optional)
    {
        var masked = match.Where(m => m.Masked).Select(m => m.Field).ToHashSet();
        var free = optional.Select(o => o.Field).ToHashSet();
        return [.. match.Select(m => m.Field).Distinct().Select(f => new TableField(f, masked.Contains(f), masked.Contains(f) || free.Contains(f)))];
    }

    /// <summary>A property's type, and its body without padding; experimenters' are 0x10000 and have no body here.</summary>
    private static (int Type, ReadOnlyMemory<byte> Body) Property(ref WireReader r, int alignment, int firstExperimenter)
    {
        if (r.Remaining < 4)
        {
            throw new OpenFlowFormatException($"a property in {r.Remaining} bytes", "OFPBPC_BAD_LEN");
        }

        var (type, length) = (r.U16(), r.U16());
        var padded = (length + alignment - 1) / alignment * alignment;
        var experimenter = type >= firstExperimenter;
        if (length < (experimenter ? 12 : 4) || padded - 4 > r.Remaining)
        {
            throw new OpenFlowFormatException($"a property {type} of length {length}", "OFPBPC_BAD_LEN");
        }

        var body = r.Take(padded - 4)[..(length - 4)];
        return !experimenter ? (type, body.ToArray())
            : WireReader.ReadNumber(body[..4]) != 0 ? (0x10000, default)
            : throw new OpenFlowFormatException("a property of experimenter 0", "OFPBPC_BAD_EXPERIMENTER");
    }

    private static uint Types(ReadOnlyMemory<byte> body)
    {
        var r = new WireReader(body.Span);
        uint bits = 0;
        while (r.Remaining > 0)
        {
            // Instruction and action ids have the layout of properties, packed.
            var (type, _) = Property(ref r, 1, 0x10000);
            bits |= type < 32 ? 1u << type : 0;
        }

        return bits;
    }

    private static ImmutableArray<byte> Tables(ReadOnlyMemory<byte> body) => body.Span.Contains((byte)255)
        ? throw new OpenFlowFormatException("table features: next table 255", "OFPBPC_BAD_VALUE")
        : [.. body.ToArray().Distinct().Order()];

    private static ImmutableArray<Field> Writable(ReadOnlyMemory<byte> body)
    {
        var fields = new List<(Field Field, bool Masked)>();
        Headers(body, fields, masks: false);
        return [.. fields.Select(f => f.Field).Distinct()];
    }

    private static void Headers(ReadOnlyMemory<byte> body, List<(Field Field, bool Masked)> into, bool masks)
    {
        var r = new WireReader(body.Span);
        while (r.Remaining > 0)
        {
            if (r.Remaining < 4 || (r.Rest[0] == 0xff && r.Rest[1] == 0xff && (r.Remaining < 8 || r.Rest[3] < 4)))
            {
                throw new OpenFlowFormatException("table features: a field's header is cut short", "OFPBMC_BAD_LEN");
            }

            if (OxmCodec.FindHeader(ref r, out var masked) is { } field)
            {
                into.Add((field, masked));
            }
        }

        if (!masks && into.Exists(f => f.Masked))
        {
            throw new OpenFlowFormatException("table features: a mask where a field is named", "OFPBMC_BAD_MASK");
        }
    }

    private static void WriteAbilities(WireWriter w, TableAbilities abilities, int miss)
    {
        WriteTypes(w, Instructions + miss, abilities.Instructions);
        var start = Begin(w, NextTables + miss);
        w.Bytes(abilities.NextTables.AsSpan());
        End(w, start);
        WriteTypes(w, WriteActions + miss, abilities.WriteActions);
        WriteHeaders(w, WriteFields + miss, abilities.WriteFields);
        WriteTypes(w, ApplyActions + miss, abilities.ApplyActions);
        WriteHeaders(w, ApplyFields + miss, abilities.ApplyFields);
    }

    private static void WriteTypes(WireWriter w, int property, uint bits)
    {
        var start = Begin(w, property);
        for (var type = 0; type < 32; type++)
        {
            if ((bits >> type & 1) != 0)
            {
                w.U16((ushort)type);
                w.U16(4);
            }
        }

        End(w, start);
    }

    private static void WriteHeaders(WireWriter w, int property, IEnumerable<Field> fields)
    {
        var start = Begin(w, property);
        foreach (var field in fields)
        {
            OxmCodec.WriteHeader(w, field.OxmHeader);
        }

        End(w, start);
    }

    private static int Begin(WireWriter w, int property)
    {
        var start = w.Length;
        w.U16((ushort)property);
        w.U16(0);
        return start;
    }

    private static void End(WireWriter w, int start)
    {
        w.PatchU16(start + 2, w.Length - start);
        w.Pad8(start);
    }
}
