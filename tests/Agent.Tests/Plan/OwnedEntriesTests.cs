using FsCheck;
using FsCheck.Fluent;
using Weft.Agent.Plan;
using Weft.Agent.Sync;

namespace Weft.Agent.Tests.Plan;

public sealed class OwnedEntriesTests
{
    [Test]
    public void An_entry_stays_while_one_owner_wants_it()
    {
        var entries = new OwnedEntries<int, string>();
        entries.Replace("a", [KeyValuePair.Create(1, "x")]);
        entries.Replace("b", [KeyValuePair.Create(1, "x")]);
        entries.Replace("a", []);
        Assert.That(entries.TryGet(1, out _), Is.True);
        entries.Replace("b", []);
        Assert.That(entries.Count, Is.Zero);
    }

    [Test]
    public void Owners_that_disagree_are_counted_and_the_first_by_name_wins_in_any_order()
    {
        foreach (var order in new[] { new[] { "a", "b" }, ["b", "a"] })
        {
            var entries = new OwnedEntries<int, string>();
            foreach (var owner in order)
            {
                entries.Replace(owner, [KeyValuePair.Create(1, owner)]);
            }

            Assert.That(entries.All.Single().Value, Is.EqualTo("a"));
            Assert.That(entries.Conflicts, Is.EqualTo(1));
        }
    }

    [Test]
    public void Any_history_ends_in_the_same_entries_as_the_last_state_alone_and_the_switch_follows()
    {
        var step = from owner in Gen.Elements("a", "b", "c")
                   from keys in Gen.ListOf(from k in Gen.Choose(0, 5) from v in Gen.Choose(0, 2) select KeyValuePair.Create(k, v))
                   select (owner, entries: keys.ToArray());
        Prop.ForAll(Gen.ListOf(step).ToArbitrary(), steps =>
        {
            var incremental = new OwnedEntries<int, int>();
            var installed = new InstalledEntries<int, int>();
            var last = new Dictionary<string, KeyValuePair<int, int>[]>();
            foreach (var (owner, entries) in steps)
            {
                incremental.Replace(owner, entries);
                last[owner] = entries;
                installed.Confirm(installed.Compare(incremental.TakeChanged(), incremental.TryGet));
            }

            var full = new OwnedEntries<int, int>();
            foreach (var (owner, entries) in last)
            {
                full.Replace(owner, entries);
            }

            Assert.That(incremental.All, Is.EquivalentTo(full.All));
            Assert.That(installed.All, Is.EquivalentTo(full.All));
            Assert.That(installed.CompareAll(full.All).IsEmpty, Is.True);
            Assert.That(incremental.Conflicts, Is.EqualTo(full.Conflicts));
        }).QuickCheckThrowOnFailure();
    }
}
