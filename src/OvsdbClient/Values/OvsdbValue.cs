using System.Diagnostics.CodeAnalysis;

namespace Weft.Ovsdb;

/// <summary>The value of a column whose type is known only at run time: nothing, an atom, a set or a map.</summary>
/// <remarks>An optional column (at most one atom) that is empty is <see cref="IsEmpty"/>. Equality is by content.</remarks>
public readonly struct OvsdbValue : IEquatable<OvsdbValue>
{
    internal OvsdbValue(object? content) => Content = content;

    /// <summary>Null, a boxed atom, an <see cref="OvsdbSet{T}"/> or an <see cref="OvsdbMap{TKey, TValue}"/>.</summary>
    internal object? Content { get; }

    /// <summary>True for an optional column without a value, and for sets and maps without members.</summary>
    public bool IsEmpty => Content switch { null => true, IOvsdbSet set => set.Count == 0, IOvsdbMap map => map.Count == 0, _ => false };

    /// <summary>Wraps a <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/>, <see cref="Guid"/>,
    /// <see cref="OvsdbSet{T}"/> or <see cref="OvsdbMap{TKey, TValue}"/>; null is the empty optional value.</summary>
    /// <exception cref="NotSupportedException">It is something else.</exception>
    public static OvsdbValue Of(object? value)
    {
        switch (value)
        {
            case null or IOvsdbSet or IOvsdbMap:
                return new OvsdbValue(value);
            case int number:
                return new OvsdbValue(Atom.Box(number));
            default:
                _ = Atom.TypeOf(value);
                return new OvsdbValue(value);
        }
    }

    /// <summary>The value as an atom.</summary>
    /// <typeparam name="T">One of the five atoms' types.</typeparam>
    /// <exception cref="InvalidCastException">The value is something else, or empty.</exception>
    public T As<T>()
        where T : notnull => TryGet<T>(out var atom) ? atom : throw Wrong<T>();

    /// <summary>The value as an atom, when it is one of this type.</summary>
    public bool TryGet<T>([MaybeNullWhen(false)] out T atom)
        where T : notnull
    {
        // An optional value that is a set of one atom on the wire is stored as that atom; a set of one is accepted too.
        atom = Content is T exact ? exact : Content is OvsdbSet<T> { Count: 1 } set ? set[0] : default;
        return atom is not null && (Content is T || Content is OvsdbSet<T> { Count: 1 });
    }

    /// <summary>The value as a set: an atom is a set of one, nothing is the empty set (RFC 7047 section 5.1, "set").</summary>
    /// <exception cref="InvalidCastException">The members have another type, or the value is a map.</exception>
    public OvsdbSet<T> AsSet<T>()
        where T : notnull => Content switch
        {
            null => OvsdbSet<T>.Empty,
            OvsdbSet<T> set => set,
            T atom => new OvsdbSet<T>([atom]),
            IOvsdbSet { Count: 0 } => OvsdbSet<T>.Empty,
            _ => throw Wrong<OvsdbSet<T>>(),
        };

    /// <summary>The value as a map.</summary>
    /// <exception cref="InvalidCastException">It has other types, or is no map.</exception>
    public OvsdbMap<TKey, TValue> AsMap<TKey, TValue>()
        where TKey : notnull
        where TValue : notnull => Content switch
        {
            OvsdbMap<TKey, TValue> map => map,
            null or IOvsdbMap { Count: 0 } => OvsdbMap<TKey, TValue>.Empty,
            _ => throw Wrong<OvsdbMap<TKey, TValue>>(),
        };

    /// <inheritdoc/>
    public bool Equals(OvsdbValue other) => Equals(Content, other.Content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is OvsdbValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Content?.GetHashCode() ?? 0;

    /// <summary>Equality by content.</summary>
    public static bool operator ==(OvsdbValue left, OvsdbValue right) => left.Equals(right);

    /// <summary>Inequality by content.</summary>
    public static bool operator !=(OvsdbValue left, OvsdbValue right) => !left.Equals(right);

    /// <summary>The value as <c>ovs-vsctl get</c> prints it, without quotes.</summary>
    public override string ToString() => Content switch
    {
        null => "[]",
        IOvsdbSet or IOvsdbMap => Content.ToString()!,
        _ => Atom.Text(Content),
    };

    private InvalidCastException Wrong<T>() => new($"the value {this} is not a {typeof(T).Name}");
}
