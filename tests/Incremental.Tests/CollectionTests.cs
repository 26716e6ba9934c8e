using FsCheck;
using FsCheck.Fluent;

namespace Weft.Incremental.Tests;

/// <summary>The collections against the plain ones of .NET, over random histories that cross the size where an index appears.</summary>
public sealed class CollectionTests
{
    private static readonly object[] Things = Enumerable.Range(0, 60).Select(i => (object)$"t{i}").ToArray();

    private static Arbitrary<int[]> Steps => Arb.From(Gen.Choose(0, 119).ArrayOf().Resize(400));

    [Test]
    public void A_small_set_is_a_set() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Steps, steps =>
    {
        var (set, model) = (default(SmallSet<object>), new HashSet<object>());
        foreach (var step in steps)
        {
            var thing = Things[step / 2];
            Assert.That(step % 2 == 0 ? set.Add(thing) : set.Remove(thing), Is.EqualTo(step % 2 == 0 ? model.Add(thing) : model.Remove(thing)));
            Assert.That(set.Items.ToArray(), Is.EquivalentTo(model));
            Assert.That(set.Contains(thing), Is.EqualTo(model.Contains(thing)));
        }
    }));

    [Test]
    public void A_count_map_counts() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Steps, steps =>
    {
        var (map, model) = (default(CountMap<object>), new Dictionary<object, int>());
        foreach (var step in steps)
        {
            var thing = Things[step / 2];
            var before = model.GetValueOrDefault(thing);
            if (step % 2 == 0)
            {
                Assert.That(map.Increment(thing), Is.EqualTo(before + 1));
                model[thing] = before + 1;
            }
            else if (before > 0)
            {
                Assert.That(map.Decrement(thing), Is.EqualTo(before - 1));
                model[thing] = before - 1;
            }
            else
            {
                Assert.That(() => map.Decrement(thing), Throws.InvalidOperationException);
            }

            Assert.That(map.Items.ToArray(), Is.EquivalentTo(model.Where(m => m.Value > 0).Select(m => m.Key)));
            Assert.That(map[thing], Is.EqualTo(model.GetValueOrDefault(thing)));
        }
    }));

    [Test]
    public void A_journal_tells_every_key_once_and_forgets_only_the_oldest() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Steps, steps =>
    {
        var journal = new ChangeJournal<int, int>(capacity: 8, floor: 0);
        var (last, whole) = (new Dictionary<int, long>(), new Dictionary<int, long>());
        var revision = 0L;
        foreach (var step in steps)
        {
            revision++;
            var key = step % 20;
            journal.Note(revision, key, step, step > 60);
            last[key] = revision;
            if (step > 60)
            {
                whole[key] = revision;
            }

            Assert.That(journal.Count, Is.LessThanOrEqualTo(8));
            for (var from = journal.Floor; from <= revision; from++)
            {
                var told = journal.Since(from).ToDictionary(c => c.Key, c => c.Whole);
                Assert.That(told.Keys, Is.EquivalentTo(last.Where(l => l.Value > from).Select(l => l.Key)));
                Assert.That(told.Where(t => whole.GetValueOrDefault(t.Key) > from).All(t => t.Value), Is.True, "who must take the whole is told so");
            }

            if (journal.Floor > 0)
            {
                Assert.That(() => journal.Since(journal.Floor - 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
            }
        }
    }));

    [Test]
    public void A_member_log_gives_the_last_step_of_each_member_or_says_that_it_forgot() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Steps, steps =>
    {
        var log = new MemberLog<int>(floor: 0, capacity: 16);
        var all = new List<(long Revision, int Member, bool Added)>();
        foreach (var step in steps)
        {
            var revision = all.Count + 1L;
            log.Note(revision, step / 2, step % 2 == 0);
            all.Add((revision, step / 2, step % 2 == 0));
            for (var from = log.Floor; from <= revision; from++)
            {
                var expected = all.Where(a => a.Revision > from).GroupBy(a => a.Member).ToDictionary(g => g.Key, g => g.Last().Added);
                Assert.That(log.Since(from), Is.EqualTo(expected));
            }

            if (log.Floor > 0)
            {
                Assert.That(() => log.Since(log.Floor - 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
            }
        }
    }));
}
