using System.Collections.Concurrent;
using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Reads values of one shape from JSON (RFC 7047 section 5.1) and applies update2's differences to them.</summary>
internal abstract class ValueCodec
{
    private static readonly ConcurrentDictionary<(Cardinality, AtomType, AtomType), ValueCodec> Known = new();

    /// <summary>What an empty value of the shape is stored as.</summary>
    public abstract object? Empty { get; }

    /// <summary>Reads the value that the reader stands on and leaves the reader on its last token.</summary>
    public abstract object? Read(OvsdbJsonReader reader);

    /// <summary>The new value from the old one and the difference that update2 sent.</summary>
    public abstract object? Apply(object? old, object? difference);

    /// <summary>The codec of a shape; always the same object for the same shape.</summary>
    public static ValueCodec For(Cardinality cardinality, AtomType key, AtomType value) =>
        Known.GetOrAdd((cardinality, key, value), static s => Make(s.Item1, s.Item2, s.Item3));

    private static ValueCodec Make(Cardinality cardinality, AtomType key, AtomType value) => key switch
    {
        AtomType.Integer => For<long>(cardinality, value),
        AtomType.Real => For<double>(cardinality, value),
        AtomType.Boolean => For<bool>(cardinality, value),
        AtomType.String => For<string>(cardinality, value),
        _ => For<Guid>(cardinality, value),
    };

    private static ValueCodec For<T>(Cardinality cardinality, AtomType value)
        where T : notnull => cardinality switch
        {
            Cardinality.Scalar => new ScalarCodec<T>(),
            Cardinality.Optional => new OptionalCodec<T>(),
            Cardinality.Set => new SetCodec<T>(),
            _ => value switch
            {
                AtomType.Integer => new MapCodec<T, long>(),
                AtomType.Real => new MapCodec<T, double>(),
                AtomType.Boolean => new MapCodec<T, bool>(),
                AtomType.String => new MapCodec<T, string>(),
                _ => new MapCodec<T, Guid>(),
            },
        };

    /// <summary>True when the reader stands on <c>["set", ...]</c> or <c>["map", ...]</c>; then it is moved onto the inner array's start.
    /// For a uuid atom, whose form is an array too, <paramref name="uuid"/> gets its value and the array is consumed.</summary>
    private protected static bool EnterCollection(OvsdbJsonReader reader, string tag, out Guid uuid)
    {
        uuid = Guid.Empty;
        if (reader.Token != JsonToken.StartArray)
        {
            return false;
        }

        reader.Next();
        var found = reader.Text("the first member of a value's array");
        reader.Next();
        if (found == tag)
        {
            reader.Expect(JsonToken.StartArray, $"an array after \"{tag}\"");
            return true;
        }

        if (found is not ("uuid" or "named-uuid"))
        {
            throw reader.Wrong($"\"{found}\" where \"{tag}\" or \"uuid\" belongs");
        }

        uuid = reader.Uuid();
        reader.NextExpect(JsonToken.EndArray, "the end of a uuid");
        return false;
    }

    private sealed class ScalarCodec<T> : ValueCodec
        where T : notnull
    {
        public override object? Empty => Atom.Default(Atom.TypeOf<T>());

        public override object? Read(OvsdbJsonReader reader)
        {
            if (EnterCollection(reader, "set", out var uuid))
            {
                // A set of one is the same value as its member (RFC 7047 section 5.1).
                reader.Next();
                var atom = reader.BoxedAtom<T>();
                reader.NextExpect(JsonToken.EndArray, "the end of a set of one");
                reader.NextExpect(JsonToken.EndArray, "the end of a set");
                return atom;
            }

            return reader.Token == JsonToken.EndArray ? reader.UuidAs<T>(uuid) : reader.BoxedAtom<T>();
        }

        public override object? Apply(object? old, object? difference) => difference;
    }

    private sealed class OptionalCodec<T> : ValueCodec
        where T : notnull
    {
        public override object? Empty => null;

        public override object? Read(OvsdbJsonReader reader)
        {
            if (!EnterCollection(reader, "set", out var uuid))
            {
                return reader.Token == JsonToken.EndArray ? reader.UuidAs<T>(uuid) : reader.BoxedAtom<T>();
            }

            object? atom = null;
            reader.Next();
            if (reader.Token != JsonToken.EndArray)
            {
                atom = reader.BoxedAtom<T>();
                reader.NextExpect(JsonToken.EndArray, "the end of an optional value");
            }

            reader.NextExpect(JsonToken.EndArray, "the end of a set");
            return atom;
        }

        public override object? Apply(object? old, object? difference) => difference;
    }

    private sealed class SetCodec<T> : ValueCodec
        where T : notnull
    {
        public override object? Empty => OvsdbSet<T>.Empty;

        public override object? Read(OvsdbJsonReader reader)
        {
            if (!EnterCollection(reader, "set", out var uuid))
            {
                return new OvsdbSet<T>([reader.Token == JsonToken.EndArray ? (T)reader.UuidAs<T>(uuid) : reader.TypedAtom<T>()]);
            }

            var items = new List<T>();
            while (reader.Next() != JsonToken.EndArray)
            {
                items.Add(reader.TypedAtom<T>());
            }

            reader.NextExpect(JsonToken.EndArray, "the end of a set");
            return OvsdbSet.Sort(items.ToArray());
        }

        public override object? Apply(object? old, object? difference) =>
            ((OvsdbSet<T>)old!).SymmetricDifference((OvsdbSet<T>)difference!);
    }

    private sealed class MapCodec<TKey, TValue> : ValueCodec
        where TKey : notnull
        where TValue : notnull
    {
        public override object? Empty => OvsdbMap<TKey, TValue>.Empty;

        public override object? Read(OvsdbJsonReader reader)
        {
            if (!EnterCollection(reader, "map", out _))
            {
                throw reader.Wrong("something else where [\"map\", ...] belongs");
            }

            var keys = new List<TKey>();
            var values = new List<TValue>();
            while (reader.Next() != JsonToken.EndArray)
            {
                reader.Expect(JsonToken.StartArray, "a pair of a map");
                reader.Next();
                keys.Add(reader.TypedAtom<TKey>());
                reader.Next();
                values.Add(reader.TypedAtom<TValue>());
                reader.NextExpect(JsonToken.EndArray, "the end of a pair");
            }

            reader.NextExpect(JsonToken.EndArray, "the end of a map");
            var map = OvsdbMap.Sort(keys.ToArray(), values.ToArray());
            for (var i = 1; i < keys.Count; i++)
            {
                if (Atom.Compare(map.KeyAt(i - 1), map.KeyAt(i)) == 0)
                {
                    throw reader.Wrong($"a map with the key \"{map.KeyAt(i)}\" twice");
                }
            }

            return map;
        }

        public override object? Apply(object? old, object? difference) =>
            ((OvsdbMap<TKey, TValue>)old!).ApplyDifference((OvsdbMap<TKey, TValue>)difference!);
    }
}
