using FsCheck;
using FsCheck.Fluent;
using Weft.Controller.Allocation;

namespace Weft.Controller.Tests.Allocation;

/// <summary>No address is given twice, whatever is killed when.</summary>
public sealed class AddressTableTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private static int Histories => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 10_000 : 600;

    [Test]
    public void No_address_is_published_twice_and_none_changes_whatever_dies_and_arrives_late()
    {
        var (late, refusals, published, contested) = (0, 0, 0, 0);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Histories), Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ArrayOf(250).ToArbitrary(), seeds =>
        {
            var world = new AddressWorld();
            Array.ForEach(seeds, world.Step);
            late += world.Late;
            refusals += world.Refusals;
            published += world.Published;
            contested += world.Contested;
        }));
        Assert.Multiple(() =>
        {
            Assert.That(late, Is.GreaterThan(Histories / 2), "writes of a dead controller that arrived under the next");
            Assert.That(refusals, Is.GreaterThan(Histories / 2), "refusals");
            Assert.That(published, Is.GreaterThan(Histories * 5), "pods with an address");
            Assert.That(contested, Is.InRange(1, published / 20), "pods whose address was another's");
        });
    }

    [Test]
    public void A_pod_gets_one_address_of_each_family_and_keeps_them()
    {
        var table = Table("10.0.0.0/24", "fd00::/64");
        var first = Take(table, "a");
        table.Seen(Owner("a"), first.Claim, Now);
        var again = Take(table, "a");
        Assert.Multiple(() =>
        {
            Assert.That(first.Claim!.Addresses, Is.EqualTo(new[] { "10.0.0.2", "fd00::2" }));
            Assert.That(first.IsNew, Is.True);
            Assert.That(again, Is.EqualTo(new AddressAnswer(first.Claim, false, null)));
        });
    }

    [Test]
    public void Nobody_holds_what_the_object_does_not_say_yet()
    {
        var table = Table("10.0.0.0/24");
        var claim = Take(table, "a").Claim!;
        Assert.That(table.Holds("a"), Is.Null);
        table.Seen(Owner("a"), claim, Now);
        Assert.That(table.Holds("a"), Is.EqualTo(claim));
    }

    [Test]
    public void An_annotation_that_was_copied_from_another_pod_means_nothing()
    {
        var claim = Take(Table("10.0.0.0/24"), "a").Claim!;
        Assert.Multiple(() =>
        {
            Assert.That(AddressClaim.Read(claim.ToAnnotation(), "a"), Is.EqualTo(claim));
            Assert.That(AddressClaim.Read(claim.ToAnnotation(), "b"), Is.Null);
            Assert.That(AddressClaim.Read("{\"uid\":", "a"), Is.Null);
            Assert.That(AddressClaim.Read(claim.ToAnnotation().Replace("10.0.0.2", "nonsense", StringComparison.Ordinal), "a"), Is.Null);
        });
    }

    [TestCase("10.0.0.1", "it is a gateway")]
    [TestCase("10.0.0.255", "not an address that a pod can have in subnet team/web (10.0.0.1-10.0.0.254)")]
    [TestCase("10.9.0.1", "not an address that a pod can have")]
    [TestCase("10.0.0.9", "in use by pod team/other")]
    [TestCase("10.0.0", "no IP address")]
    public void A_fixed_address_that_cannot_be_had_is_refused_with_the_reason(string wanted, string reason)
    {
        var table = Table("10.0.0.0/24");
        table.Take(new AddressOwner("o", "team/other", Now), "team/web", ["10.0.0.9"], null, 1, Now);
        var answer = table.Take(Owner("a"), "team/web", [wanted], null, 1, Now);
        Assert.Multiple(() =>
        {
            Assert.That(answer.Claim, Is.Null);
            Assert.That(answer.Refusal, Does.Contain(reason));
        });
    }

    [Test]
    public void A_full_subnet_says_so_and_an_address_rests_before_another_pod_has_it()
    {
        var table = Table("10.0.0.0/29");
        foreach (var uid in new[] { "a", "b", "c", "d", "e" })
        {
            table.Seen(Owner(uid), Take(table, uid).Claim, Now);
        }

        Assert.That(Take(table, "f").Refusal, Does.Contain("no free IPv4 address: 5 are in use"));
        table.Gone("c", Now);
        Assert.That(Take(table, "f").Refusal, Does.Contain("1 of pods that just ended"));
        var later = table.Take(Owner("f"), "team/web", [], null, 1, Now + AddressTable.Rest);
        Assert.That(later.Claim!.Addresses, Is.EqualTo(new[] { "10.0.0.4" }));
    }

    [Test]
    public void A_restart_goes_on_behind_the_address_that_was_given_last()
    {
        var table = Table("10.0.0.0/24");
        table.Seen(Owner("a"), Claim("a", "10.0.0.77", 4), Now);
        table.Seen(Owner("b"), Claim("b", "10.0.0.200", 3), Now);
        Assert.That(Take(table, "c").Claim!.Addresses, Is.EqualTo(new[] { "10.0.0.78" }));
    }

    [TestCase("10.0.0.0/24", "10.0.0.0", "10.0.0.255")]
    [TestCase("10.0.0.7/30", "10.0.0.4", "10.0.0.7")]
    [TestCase("10.0.0.9", "10.0.0.9", "10.0.0.9")]
    [TestCase("10.0.0.9..10.0.1.2", "10.0.0.9", "10.0.1.2")]
    [TestCase("10.0.0.9 - 10.0.1.2", "10.0.0.9", "10.0.1.2")]
    [TestCase("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    [TestCase("fd00::1:0/112", "fd00::1:0", "fd00::1:ffff")]
    public void Ranges_are_read(string text, string first, string last)
    {
        Assert.That(AddressRange.TryParse(text, out var range), Is.True);
        Assert.That(range.ToString(), Is.EqualTo($"{first}-{last}"));
    }

    [TestCase("")]
    [TestCase("10.0.0.0/33")]
    [TestCase("fd00::/129")]
    [TestCase("10.0.0.0/-1")]
    [TestCase("10.0.0.9-10.0.0.1")]
    [TestCase("10.0.0.1-fd00::1")]
    [TestCase("10/8")]
    [TestCase("1-2-3")]
    public void What_is_no_range_is_refused(string text) => Assert.That(AddressRange.TryParse(text, out _), Is.False);

    private static AddressTable Table(params string[] ranges)
    {
        var table = new AddressTable();
        AddressRange[] gateways = [Range("10.0.0.1"), Range("fd00::1")];
        table.SetSubnet(new SubnetPlan("team/web", [.. ranges.Select(Range)], gateways));
        return table;
    }

    private static AddressAnswer Take(AddressTable table, string uid) => table.Take(Owner(uid), "team/web", [], null, 1, Now);

    private static AddressOwner Owner(string uid) => new(uid, "team/" + uid, Now);

    private static AddressClaim Claim(string uid, string address, long term) => new() { Uid = uid, Term = term, Subnet = "team/web", Addresses = [address] };

    private static AddressRange Range(string text) => AddressRange.TryParse(text, out var range) ? range : throw new ArgumentException(text);
}
