using FsCheck;
using FsCheck.Fluent;
using Weft.TestSupport;
using Weft.Controller.Allocation;

namespace Weft.Controller.Tests.Allocation;

/// <summary>A key never belongs to two networks, whatever is killed when.</summary>
public sealed class NetworkKeysTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);
    private readonly SettableClock _time = new(DateTimeOffset.UnixEpoch);

    private static int Histories => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 5000 : 400;

    [Test]
    public void No_key_has_two_users_after_any_crash_of_any_of_two_controllers()
    {
        var (crashes, conflicts, reused) = (0, 0, 0);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ArrayOf(150).ToArbitrary(), seeds =>
        {
            var world = new KeyWorld(first: 4090, last: 4101);
            Array.ForEach(seeds, world.Step);
            crashes += world.Store.Crashes;
            conflicts += world.Store.Conflicts;
            reused += world.Reused;
        }));
        Assert.Multiple(() =>
        {
            Assert.That(crashes, Is.GreaterThan(Histories), "crashes");
            Assert.That(conflicts, Is.GreaterThan(Histories / 2), "writes that another controller forestalled");
            Assert.That(reused, Is.GreaterThan(Histories), "keys given again");
        });
    }

    [Test]
    public async Task What_did_not_change_is_not_written()
    {
        var store = new CrashingKeyStore();
        using var keys = Keys(store, 16, 100);
        NetworkOwner[] owners = [.. Enumerable.Range(0, 50).Select(i => new NetworkOwner($"u{i}", $"net-{i}"))];
        var first = await keys.ReconcileAsync(owners, _ => true, default);
        Assert.That(store.Writes, Is.EqualTo(1), "fifty networks in one write");
        var second = await keys.ReconcileAsync(owners, _ => true, default);
        Assert.Multiple(() =>
        {
            Assert.That(store.Writes, Is.EqualTo(1));
            Assert.That(second.Keys, Is.EquivalentTo(first.Keys));
        });
    }

    [Test]
    public async Task A_key_rests_and_is_free_again_only_when_no_node_may_use_it()
    {
        var store = new CrashingKeyStore();
        using var keys = Keys(store, 16, 16);
        Assert.That((await keys.ReconcileAsync([new("a", "a")], _ => true, default)).Keys["a"], Is.EqualTo(16));
        Assert.That((await keys.ReconcileAsync([new("b", "b")], _ => true, default)).Refused["b"], Does.Contain("16 to 16"));
        _time.Advance(Rest);
        Assert.That((await keys.ReconcileAsync([new("b", "b")], key => key == 16, default)).Keys, Is.Empty, "a node may use it");
        Assert.That((await keys.ReconcileAsync([new("b", "b")], _ => false, default)).Keys["b"], Is.EqualTo(16));
    }

    [Test]
    public async Task An_owner_that_was_only_missed_has_its_key_back()
    {
        using var keys = Keys(new CrashingKeyStore(), 16, 100);
        NetworkOwner[] both = [new("a", "a"), new("b", "b")];
        var before = await keys.ReconcileAsync(both, _ => true, default);
        await keys.ReconcileAsync([both[0]], _ => true, default);
        _time.Advance(Rest / 2);
        Assert.That((await keys.ReconcileAsync(both, _ => true, default)).Keys, Is.EquivalentTo(before.Keys));
    }

    [Test]
    public async Task A_ledger_that_somebody_deleted_is_made_again_from_what_the_objects_say()
    {
        var store = new CrashingKeyStore();
        using var keys = Keys(store, 16, 100);
        var before = await keys.ReconcileAsync([new("a", "a"), new("b", "b")], _ => true, default);
        store.Lose();
        keys.Forget();
        var after = await keys.ReconcileAsync([new("new", "new"), new("b", "b", before.Keys["b"]), new("a", "a", before.Keys["a"])], _ => true, default);
        Assert.Multiple(() =>
        {
            Assert.That(after.Keys["a"], Is.EqualTo(before.Keys["a"]));
            Assert.That(after.Keys["b"], Is.EqualTo(before.Keys["b"]));
            Assert.That(after.Keys["new"], Is.Not.AnyOf(before.Keys["a"], before.Keys["b"]));
        });
    }

    [Test]
    public async Task A_status_that_lies_takes_no_key_from_another()
    {
        using var keys = Keys(new CrashingKeyStore(), 16, 100);
        var before = await keys.ReconcileAsync([new("a", "a")], _ => true, default);
        var after = await keys.ReconcileAsync([new("a", "a"), new("thief", "thief", before.Keys["a"])], _ => true, default);
        Assert.That(after.Keys["thief"], Is.Not.EqualTo(before.Keys["a"]));
    }

    [Test]
    public async Task Ten_thousand_networks_fit_into_one_object_and_the_one_too_many_is_told()
    {
        var store = new CrashingKeyStore();
        using var keys = Keys(store, NetworkKeys.First, NetworkKeys.Last);
        var uid = () => Guid.NewGuid().ToString();
        var owners = Enumerable.Range(0, 20_000).Select(i => new NetworkOwner(uid(), $"team-{i}")).ToList();
        var given = await keys.ReconcileAsync(owners, _ => true, default);
        Assert.Multiple(() =>
        {
            Assert.That(given.Keys, Has.Count.GreaterThan(10_000));
            Assert.That(given.Keys.Values.Distinct().Count(), Is.EqualTo(given.Keys.Count));
            Assert.That(given.Refused[owners[^1].Uid], Does.Contain("full"));
            Assert.That(store.Writes, Is.EqualTo(1));
        });
    }

    private NetworkKeys Keys(CrashingKeyStore store, int first, int last) =>
        new(store.Door(() => CrashPoint.Never), new KeyLedger(first, last, Rest), _time);
}
