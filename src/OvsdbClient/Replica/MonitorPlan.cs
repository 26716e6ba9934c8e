using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>A selection applied to a live schema: what is really asked for, and what had to be left out.</summary>
internal sealed class MonitorPlan
{
    private MonitorPlan(
        DatabaseSchema schema, FrozenDictionary<string, TableLayout> layouts, ImmutableArray<SchemaDifference> differences)
    {
        Schema = schema;
        Layouts = layouts;
        Differences = differences;
    }

    public DatabaseSchema Schema { get; }

    public FrozenDictionary<string, TableLayout> Layouts { get; }

    public ImmutableArray<SchemaDifference> Differences { get; }

    public static MonitorPlan Make(DatabaseSchema schema, MonitorSelection selection)
    {
        var differences = new List<SchemaDifference>();
        var layouts = new Dictionary<string, TableLayout>(StringComparer.Ordinal);
        foreach (var table in selection.Tables.Values)
        {
            if (schema.Tables.TryGetValue(table.Table, out var tableSchema))
            {
                layouts[table.Table] = Layout(tableSchema, table, differences);
            }
            else
            {
                differences.Add(new SchemaDifference(table.Table, null, $"the database {schema.Name} {schema.Version} has no such table"));
            }
        }

        foreach (var table in schema.Tables.Values.Where(t => selection.IsEverything && !layouts.ContainsKey(t.Name)))
        {
            layouts[table.Name] = new TableLayout(table, table.Columns.Keys.Order(StringComparer.Ordinal), []);
        }

        return new MonitorPlan(schema, layouts.ToFrozenDictionary(StringComparer.Ordinal), [.. differences]);
    }

    /// <summary>This plan with the layouts of an earlier one, when rows of that one have the same form; null when they do not.</summary>
    public MonitorPlan? Continue(MonitorPlan earlier)
    {
        var same = Layouts.Count == earlier.Layouts.Count && Layouts.Values.All(l => earlier.Layouts.TryGetValue(l.Name, out var other)
            && l.Columns.SequenceEqual(other.Columns) && l.Shapes.SequenceEqual(other.Shapes));
        return same ? new MonitorPlan(Schema, earlier.Layouts, Differences) : null;
    }

    private static TableLayout Layout(TableSchema schema, TableSelection selection, List<SchemaDifference> differences)
    {
        if (selection.Columns is not { } wanted)
        {
            return new TableLayout(schema, schema.Columns.Keys.Order(StringComparer.Ordinal), []);
        }

        var missing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            var reason = !schema.Columns.TryGetValue(name, out var column) ? "the server has no such column"
                : selection.Keys.FirstOrDefault(k => k.Name == name) is { } key && !key.Shape.CanRead(column.Type.Shape)
                    ? $"the server has a column of type {column.Type.Shape}, not {key.Shape}"
                : null;
            if (reason is not null)
            {
                missing.Add(name);
                differences.Add(new SchemaDifference(schema.Name, name, reason));
            }
        }

        return new TableLayout(schema, wanted.Where(n => !missing.Contains(n)), missing);
    }
}
