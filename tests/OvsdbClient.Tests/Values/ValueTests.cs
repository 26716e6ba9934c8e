using FsCheck;
using FsCheck.Fluent;

namespace Weft.Ovsdb.Tests.Values;

/// <summary>Sets and maps against the obvious implementation, and JSON both ways.</summary>
public sealed class ValueTests
{
    [Test]
    public void A_set_is_what_a_hash_set_is() => Prop.ForAll<int[], int[]>((left, right) =>
    {
        var a = OvsdbSet.From(left.Select(i => (long)i % 7));
        var b = OvsdbSet.From(right.Select(i => (long)i % 7));
        var oracle = new HashSet<long>(a);
        oracle.SymmetricExceptWith(b);
        return a.SymmetricDifference(b).SequenceEqual(oracle.Order())
            && a.Union(b).SequenceEqual(Enumerable.Union(a, b).Order())
            && a.Except(b).SequenceEqual(Enumerable.Except(a, b).Order())
            && left.All(i => a.Contains(i % 7))
            && a.Equals(OvsdbSet.From(left.Reverse().Select(i => (long)i % 7)))
            && a.GetHashCode() == OvsdbSet.From(left.Reverse().Select(i => (long)i % 7)).GetHashCode();
    }).QuickCheckThrowOnFailure();

    [Test]
    public void A_difference_of_maps_applied_to_the_old_gives_the_new() => Prop.ForAll<Tuple<int, int>[], Tuple<int, int>[]>((left, right) =>
    {
        static OvsdbMap<string, long> Map(Tuple<int, int>[] pairs) =>
            OvsdbMap.From(pairs.Select(p => KeyValuePair.Create($"k{p.Item1 % 5}", (long)p.Item2 % 3)));
        var before = Map(left);
        var after = Map(right);
        // ovsdb-server(7) 4.1.14: pairs whose key is in one only, and the new value where both have the key with different values.
        var difference = OvsdbMap.From(before.Where(p => !after.ContainsKey(p.Key))
            .Concat(after.Where(p => !before.TryGetValue(p.Key, out var v) || v != p.Value)));
        return before.ApplyDifference(difference).Equals(after);
    }).QuickCheckThrowOnFailure();

    [Test]
    public void Every_value_survives_its_json_form() => Prop.ForAll<NonNull<string>[], long[], Guid[]>(
        (texts, numbers, ids) =>
        {
            object?[] values =
            [
                OvsdbSet.From(texts.Select(t => t.Get.Replace("\0", "", StringComparison.Ordinal))), OvsdbSet.From(numbers), OvsdbSet.From(numbers.Select(n => n / 7.0)), OvsdbSet.From(ids), numbers.Length % 2 == 0,
                OvsdbMap.From(ids.Zip(numbers).Select(p => KeyValuePair.Create(p.First, p.Second))),
                OvsdbMap.From(numbers.Zip(texts).Select(p => KeyValuePair.Create(p.First, p.Second.Get.Replace("\0", "", StringComparison.Ordinal)))),
            ];
            return values.All(v => RoundTrip(OvsdbValue.Of(v)) == OvsdbValue.Of(v));
        }).QuickCheckThrowOnFailure();

    [TestCase("""["set",["a","a"]]""", AtomType.String, "[a]")]
    [TestCase("\"a\"", AtomType.String, "[a]")]
    [TestCase("""["set",[]]""", AtomType.Integer, "[]")]
    [TestCase("1", AtomType.Real, "[1]")]
    [TestCase("""["uuid","00000000-0000-0000-0000-000000000001"]""", AtomType.Uuid, "[00000000-0000-0000-0000-000000000001]")]
    [TestCase("""["set",[["uuid","00000000-0000-0000-0000-000000000001"]]]""", AtomType.Uuid, "[00000000-0000-0000-0000-000000000001]")]
    public void A_set_of_one_may_be_written_bare(string json, AtomType type, string expected) =>
        Assert.That(new OvsdbValue(Read(json, ValueCodec.For(Cardinality.Set, type, type))).ToString(), Is.EqualTo(expected));

    [TestCase("""["set",[1]]""", "Set", AtomType.String, "\"1\" where a string belongs, at [1][0]")]
    [TestCase("""{"a":1}""", "Scalar", AtomType.Integer, "an object where an integer belongs")]
    [TestCase("""["map",[["a"]]]""", "Map", AtomType.String, "EndArray where a string belongs")]
    [TestCase("""["map",[["a","b"],["a","c"]]]""", "Map", AtomType.String, "a map with the key \"a\" twice")]
    [TestCase("""["set",["a","b"]]""", "Optional", AtomType.String, "where the end of an optional value belongs")]
    [TestCase("""["uuid","zzz"]""", "Scalar", AtomType.Uuid, "\"zzz\" where a uuid belongs")]
    [TestCase("""["odd",[]]""", "Set", AtomType.String, "\"odd\" where \"set\" or \"uuid\" belongs")]
    [TestCase("99999999999999999999", "Scalar", AtomType.Integer, "where an integer belongs")]
    [TestCase("""["set",[""", "Set", AtomType.String, "the stream ended inside a message")]
    public void A_value_that_is_wrong_says_what_and_where(string json, string cardinality, AtomType type, string expected) =>
        Assert.That(() => Read(json, ValueCodec.For(Enum.Parse<Cardinality>(cardinality), type, type)), Throws.TypeOf<OvsdbProtocolException>().With.Message.Contains(expected));

    [Test]
    public void Values_are_read_as_what_they_are_and_refuse_to_be_something_else()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(OvsdbValue.Of("x").AsSet<string>(), Is.EqualTo((OvsdbSet<string>)["x"]));
            Assert.That(OvsdbValue.Of(null).AsSet<long>(), Is.Empty);
            Assert.That(OvsdbValue.Of((OvsdbSet<long>)[5]).As<long>(), Is.EqualTo(5));
            Assert.That(() => OvsdbValue.Of("x").As<long>(), Throws.TypeOf<InvalidCastException>().With.Message.Contains("x"));
            Assert.That(() => OvsdbValue.Of(1L).AsMap<string, string>(), Throws.TypeOf<InvalidCastException>());
            Assert.That(() => OvsdbValue.Of(DateTime.UnixEpoch), Throws.TypeOf<NotSupportedException>().With.Message.Contains("DateTime"));
            Assert.That(OvsdbMap.Of(("b", "2"), ("a", "1")).ToString(), Is.EqualTo("{a=1, b=2}"));
            Assert.That(() => OvsdbMap.Of()["nope"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("nope"));
            Assert.That(OvsdbMap.Of(("a", "1")).With("a", "2").With("c", "3").Without("a"), Is.EqualTo(OvsdbMap.Of(("c", "3"))));
        }
    }

    private static OvsdbValue RoundTrip(OvsdbValue value)
    {
        using var text = new StringWriter();
        var writer = new OvsdbJsonWriter(text);
        writer.Value(value).Flush();
        var codec = value.Content switch
        {
            IOvsdbSet set => ValueCodec.For(Cardinality.Set, set.Type, set.Type),
            IOvsdbMap map => ValueCodec.For(Cardinality.Map, map.KeyType, map.ValueType),
            _ => ValueCodec.For(Cardinality.Scalar, Atom.TypeOf(value.Content!), AtomType.String),
        };
        return new OvsdbValue(Read(text.ToString(), codec));
    }

    private static object? Read(string json, ValueCodec codec)
    {
        var reader = new OvsdbJsonReader(new StringReader(json));
        reader.NextMessage();
        return codec.Read(reader);
    }
}
