using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer.Tests;

public sealed class StoreTests
{
    private const string Key = "things";

    [Test]
    public void List_and_watch_from_any_revision_equal_the_state([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        var store = new ObjectStore(historyLimit: 10_000);
        var states = new List<(long Revision, Dictionary<string, string> State)> { (store.Revision, []) };
        for (var i = 0; i < 150; i++)
        {
            RandomChange(store, random);
            states.Add((store.Revision, State(store)));
        }

        var byRevision = states.ToDictionary(s => s.Revision, s => s.State);

        // Whoever listed at any moment and then reads all changes knows the end; whoever reads some of them knows that moment.
        foreach (var (revision, state) in states)
        {
            var changes = new List<StoreChange>();
            Assert.That(store.TryRead(Key, revision, changes, int.MaxValue, out var current, out _), Is.True);
            Assert.That(current, Is.EqualTo(store.Revision));
            var known = new Dictionary<string, string>(state);
            foreach (var change in changes)
            {
                Apply(known, change);
                var then = byRevision[change.Revision];
                Assert.That(Same(known, then), Is.True);
            }

            Assert.That(Same(known, State(store)), Is.True);
        }
    }

    [Test]
    public void Writers_at_the_same_time_lose_no_change()
    {
        var store = new ObjectStore();
        store.TryPut(Key, Thing("ns", "counter", "0"), null);
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 200; i++)
            {
                StoredObject? stored = null;
                while (stored is null)
                {
                    var current = store.Find(Key, "ns", "counter")!;
                    var value = int.Parse(current.ToTree().Text("data")!, System.Globalization.CultureInfo.InvariantCulture) + 1;
                    stored = store.TryPut(Key, Thing("ns", "counter", value.ToString(System.Globalization.CultureInfo.InvariantCulture)), current);
                }
            }
        });
        Assert.That(store.Find(Key, "ns", "counter")!.ToTree().Text("data"), Is.EqualTo("1600"));
    }

    [Test]
    public void The_journal_brings_everything_back([Range(1, 5)] int seed)
    {
        var folder = Directory.CreateTempSubdirectory("weft-journal-");
        try
        {
            var path = Path.Combine(folder.FullName, "objects");
            var random = new Random(seed);
            Dictionary<string, string> before;
            long revision;
            using (var journal = new Journal(path))
            {
                var store = new ObjectStore(journal: journal);
                store.Restore();
                for (var i = 0; i < 200; i++)
                {
                    RandomChange(store, random);
                }

                (before, revision) = (State(store), store.Revision);
            }

            // A write that was cut off by a crash: nobody was told of it.
            File.AppendAllText(path, "things\tns\thalf\t9999\t{\"metadata\":{\"na");
            using (var journal = new Journal(path))
            {
                var store = new ObjectStore(journal: journal);
                store.Restore();
                Assert.That(State(store), Is.EquivalentTo(before));
                Assert.That(store.TryPut(Key, Thing("ns", "more", "x"), null)!.Revision, Is.GreaterThan(revision - 1), "revisions go on");
                Assert.That(store.TryRead(Key, 1, [], 10, out _, out _), Is.False, "the history before the restart is gone");
            }

            using (var journal = new Journal(path))
            {
                var store = new ObjectStore(journal: journal);
                store.Restore();
                Assert.That(store.Find(Key, "ns", "more"), Is.Not.Null);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public void A_damaged_journal_is_refused_with_its_line()
    {
        var folder = Directory.CreateTempSubdirectory("weft-journal-");
        try
        {
            var path = Path.Combine(folder.FullName, "objects");
            File.WriteAllText(path, "nonsense\n");
            using var journal = new Journal(path);
            var error = Assert.Throws<InvalidDataException>(new ObjectStore(journal: journal).Restore);
            Assert.That(error.Message, Does.Contain(":1:"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static JsonObject Thing(string ns, string name, string data) =>
        new() { ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = name, ["uid"] = $"{ns}-{name}" }, ["data"] = data };

    private static void RandomChange(ObjectStore store, Random random)
    {
        var (ns, name) = ($"ns{random.Next(3)}", $"n{random.Next(12)}");
        var current = store.Find(Key, ns, name);
        if (current is not null && random.Next(3) == 0)
        {
            Assert.That(store.TryDelete(Key, current), Is.Not.Null);
        }
        else
        {
            Assert.That(store.TryPut(Key, Thing(ns, name, random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture)), current), Is.Not.Null);
        }
    }

    private static void Apply(Dictionary<string, string> state, StoreChange change)
    {
        var key = $"{change.Object.Namespace}/{change.Object.Name}";
        if (state.ContainsKey(key) == (change.Kind == ChangeKind.Added))
        {
            Assert.Fail($"{change.Kind} of {key}: an addition is of something new, all else of something known");
        }

        if (change.Kind == ChangeKind.Deleted)
        {
            state.Remove(key);
        }
        else
        {
            state[key] = change.Object.ToTree().Text("data")!;
        }
    }

    private static bool Same(Dictionary<string, string> one, Dictionary<string, string> other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out var value) && value == p.Value);

    private static Dictionary<string, string> State(ObjectStore store) =>
        store.Snapshot(Key).Items.ToDictionary(i => $"{i.Namespace}/{i.Name}", i => i.ToTree().Text("data")!);
}
