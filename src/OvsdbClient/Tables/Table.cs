namespace Weft.Ovsdb;

/// <summary>The base of types that stand for a table. A type lists its columns as static keys made by the functions below.</summary>
/// <example><code>
/// public sealed class LogicalSwitch : Table&lt;LogicalSwitch&gt;, ITable
/// {
///     public static readonly Column&lt;LogicalSwitch, string&gt; Name = Text("name");
///     public static string TableName => "Logical_Switch";
///     public static IReadOnlyList&lt;Column&gt; Columns { get; } = [Name];
/// }
/// </code></example>
/// <typeparam name="TSelf">The derived type itself.</typeparam>
public abstract class Table<TSelf>
    where TSelf : Table<TSelf>, ITable
{
    /// <summary>The identity of a row, <c>_uuid</c>: for conditions. A row has it as <see cref="Row{TTable}.Uuid"/> too.</summary>
    public static readonly Column<TSelf, Guid> Uuid = Reference("_uuid");

    /// <summary>A column of text.</summary>
    protected static Column<TSelf, string> Text(string name) => Scalar<string>(name);

    /// <summary>A column of text that may be empty.</summary>
    protected static Column<TSelf, string?> OptionalText(string name) =>
        new(TSelf.TableName, name, Cardinality.Optional, AtomType.String, AtomType.String, v => v.TryGet<string>(out var text) ? text : null);

    /// <summary>A column of one integer.</summary>
    protected static Column<TSelf, long> Integer(string name) => Scalar<long>(name);

    /// <summary>A column of one integer that may be empty.</summary>
    protected static Column<TSelf, long?> OptionalInteger(string name) => Optional<long>(name);

    /// <summary>A column of one real.</summary>
    protected static Column<TSelf, double> Real(string name) => Scalar<double>(name);

    /// <summary>A column of one real that may be empty.</summary>
    protected static Column<TSelf, double?> OptionalReal(string name) => Optional<double>(name);

    /// <summary>A column of true or false.</summary>
    protected static Column<TSelf, bool> Flag(string name) => Scalar<bool>(name);

    /// <summary>A column of true or false that may be empty.</summary>
    protected static Column<TSelf, bool?> OptionalFlag(string name) => Optional<bool>(name);

    /// <summary>A column that refers to one row.</summary>
    protected static Column<TSelf, Guid> Reference(string name) => Scalar<Guid>(name);

    /// <summary>A column that refers to one row or none.</summary>
    protected static Column<TSelf, Guid?> OptionalReference(string name) => Optional<Guid>(name);

    /// <summary>A column that refers to rows.</summary>
    protected static Column<TSelf, OvsdbSet<Guid>> References(string name) => Set<Guid>(name);

    /// <summary>A column of a set of atoms.</summary>
    protected static Column<TSelf, OvsdbSet<T>> Set<T>(string name)
        where T : notnull =>
        new(TSelf.TableName, name, Cardinality.Set, Atom.TypeOf<T>(), Atom.TypeOf<T>(), v => v.AsSet<T>());

    /// <summary>A column of a map of atoms.</summary>
    protected static Column<TSelf, OvsdbMap<TKey, TValue>> Map<TKey, TValue>(string name)
        where TKey : notnull
        where TValue : notnull =>
        new(TSelf.TableName, name, Cardinality.Map, Atom.TypeOf<TKey>(), Atom.TypeOf<TValue>(), v => v.AsMap<TKey, TValue>());

    /// <summary>A column of a map of text, such as <c>external_ids</c>.</summary>
    protected static Column<TSelf, OvsdbMap<string, string>> TextMap(string name) => Map<string, string>(name);

    private static Column<TSelf, T> Scalar<T>(string name)
        where T : notnull =>
        new(TSelf.TableName, name, Cardinality.Scalar, Atom.TypeOf<T>(), Atom.TypeOf<T>(),
            v => v.TryGet<T>(out var atom) ? atom : (T)Atom.Default(Atom.TypeOf<T>()));

    private static Column<TSelf, T?> Optional<T>(string name)
        where T : struct =>
        new(TSelf.TableName, name, Cardinality.Optional, Atom.TypeOf<T>(), Atom.TypeOf<T>(), v => v.TryGet<T>(out var atom) ? atom : null);
}
