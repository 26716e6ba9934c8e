namespace Weft.Ovsdb;

/// <summary>A row whose table is known: a thin view of a <see cref="Row"/>, free to make.</summary>
/// <typeparam name="TTable">The table.</typeparam>
public readonly struct Row<TTable> : IEquatable<Row<TTable>>
    where TTable : Table<TTable>, ITable
{
    internal Row(Row row) => Untyped = row;

    /// <summary>The row without its type.</summary>
    public Row Untyped { get; }

    /// <summary>The row's identity.</summary>
    public Guid Uuid => Untyped.Uuid;

    /// <summary>A column's value. A column that the server's schema lacks reads as empty.</summary>
    /// <exception cref="InvalidOperationException">The column is not monitored.</exception>
    public T Get<T>(Column<TTable, T> column) => Untyped.Get(column);

    /// <inheritdoc/>
    public bool Equals(Row<TTable> other) => ReferenceEquals(Untyped, other.Untyped);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Row<TTable> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Uuid.GetHashCode();

    /// <summary>The same moment of the same row.</summary>
    public static bool operator ==(Row<TTable> left, Row<TTable> right) => left.Equals(right);

    /// <summary>Another moment or another row.</summary>
    public static bool operator !=(Row<TTable> left, Row<TTable> right) => !left.Equals(right);

    /// <inheritdoc cref="Row.ToString"/>
    public override string ToString() => Untyped.ToString();
}
