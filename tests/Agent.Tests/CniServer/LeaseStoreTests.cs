using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.CniServer.Leases;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

public sealed class LeaseStoreTests
{
    private readonly ManualTime _time = new();
    private TemporaryFolder _folder = null!;

    private string Journal => _folder.File("leases.journal");

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Addresses_go_round_and_leave_network_gateway_and_broadcast_out()
    {
        using var store = Open(rest: TimeSpan.Zero);
        var given = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            given.Add(string.Join(' ', (await AcquireAsync(store, $"c{i}", "10.0.0.0/29", "10.0.0.2")).Addresses));
            await store.ReleaseAsync($"c{i}", "eth0");
        }

        Assert.That(given, Is.EqualTo(new[] { "10.0.0.1", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.1", "10.0.0.3", "10.0.0.4" }));
    }

    [Test]
    public async Task A_second_range_of_a_family_is_used_when_the_first_is_full()
    {
        using var store = Open();
        EquatableArray<SwitchSubnet> subnets = [new("10.0.0.0/30", "10.0.0.1"), new("10.0.9.0/30", "10.0.9.1"), new("fd00::/64", "fd00::1")];
        var first = await AcquireAsync(store, "c1", subnets);
        var second = await AcquireAsync(store, "c2", subnets);
        Assert.That(first.Addresses, Is.EqualTo(new[] { "10.0.0.2", "fd00::2" }));
        Assert.That(second.Addresses, Is.EqualTo(new[] { "10.0.9.2", "fd00::3" }));
        var error = Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c3", subnets));
        Assert.That(error!.Message, Does.Contain("no address is free in 10.0.0.0/30, 10.0.9.0/30: 2 of 2 are in use"));
        Assert.That(error.IsTransient, Is.False);
        Assert.That(store.Leases, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_released_address_rests()
    {
        using var store = Open();
        await AcquireAsync(store, "c1", "10.0.0.0/30", "10.0.0.1");
        await store.ReleaseAsync("c1", "eth0");
        var error = Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c2", "10.0.0.0/30", "10.0.0.1"));
        Assert.That(error!.Message, Does.Contain("0 of 1 are in use, 1 rest after release (at most 30 s)"));
        Assert.That(error.IsTransient, Is.True);
        _time.Now += TimeSpan.FromSeconds(31);
        Assert.That((await AcquireAsync(store, "c2", "10.0.0.0/30", "10.0.0.1")).Addresses, Is.EqualTo(new[] { "10.0.0.2" }));
    }

    [Test]
    public async Task The_rest_survives_a_restart_and_a_clock_that_jumps()
    {
        using (var store = Open())
        {
            await AcquireAsync(store, "c1", "10.0.0.0/30", "10.0.0.1");
            await store.ReleaseAsync("c1", "eth0");
        }

        using (var store = Open())
        {
            Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c2", "10.0.0.0/30", "10.0.0.1"));
        }

        // A clock that was a day ahead at the release must not make the address rest for a day.
        _time.Now -= TimeSpan.FromDays(1);
        using (var store = Open())
        {
            Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c2", "10.0.0.0/30", "10.0.0.1"));
            _time.Now += TimeSpan.FromSeconds(31);
            Assert.That((await AcquireAsync(store, "c2", "10.0.0.0/30", "10.0.0.1")).Addresses, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task The_same_container_keeps_its_lease()
    {
        using var store = Open();
        var first = await store.AcquireAsync(Request("c1", "10.0.0.0/24", "10.0.0.1"), CancellationToken.None);
        var second = await store.AcquireAsync(Request("c1", "10.0.0.0/24", "10.0.0.1"), CancellationToken.None);
        Assert.That((first.IsNew, second.IsNew), Is.EqualTo((true, false)));
        Assert.That(second.Lease, Is.EqualTo(first.Lease));
    }

    [TestCase("10.0.0.1", "not one that pods of this node may have (10.0.0.0/24 without 10.0.0.1)")]
    [TestCase("10.0.0.0", "not one that pods")]
    [TestCase("10.0.0.255", "not one that pods")]
    [TestCase("10.0.1.5", "not one that pods")]
    [TestCase("10.0.0.7", "is held by container other/eth0 of pod default/other")]
    public async Task A_fixed_address_that_cannot_be_given_says_why(string address, string reason)
    {
        using var store = Open();
        await store.AcquireAsync(Request("other", "10.0.0.0/24", "10.0.0.1") with { Fixed = [IPAddress.Parse("10.0.0.7")] }, CancellationToken.None);
        var error = Assert.ThrowsAsync<LeaseException>(() =>
            store.AcquireAsync(Request("c1", "10.0.0.0/24", "10.0.0.1") with { Fixed = [IPAddress.Parse(address)] }, CancellationToken.None));
        Assert.That(error!.Message, Does.Contain(reason));
        Assert.That(store.Leases, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Networks_may_use_the_same_addresses()
    {
        using var store = Open();
        var fixedAddress = Request("c1", "10.0.0.0/24", "10.0.0.1") with { Fixed = [IPAddress.Parse("10.0.0.7")], FixedByController = true };
        await store.AcquireAsync(fixedAddress, CancellationToken.None);
        var other = await store.AcquireAsync(fixedAddress with { ContainerId = "c2", NetworkKey = 7 }, CancellationToken.None);
        Assert.That(other.Lease.Addresses, Is.EqualTo(new[] { "10.0.0.7" }));
    }

    [TestCase("10.0.0.0/33", "10.0.0.1", "is no CIDR")]
    [TestCase("10.0.0.0/24", "10.0.1.1", "is not an address of 10.0.0.0/24")]
    [TestCase("10.0.0.0/24", "", "is not an address of 10.0.0.0/24")]
    public void A_bad_range_is_named(string cidr, string gateway, string reason)
    {
        using var store = Open();
        Assert.That(Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c1", cidr, gateway))!.Message, Does.Contain(reason));
    }

    [TestCase("10.0.0.4/31", "10.0.0.4", "10.0.0.5")]
    [TestCase("fd00::2/127", "fd00::2", "fd00::3")]
    [TestCase("fd00::/126", "fd00::1", "fd00::2")]
    public async Task Small_ranges_have_addresses_too(string cidr, string gateway, string expected)
    {
        using var store = Open();
        Assert.That((await AcquireAsync(store, "c1", cidr, gateway)).Addresses, Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void No_range_says_that_the_node_has_no_pod_CIDR()
    {
        using var store = Open();
        Assert.That(Assert.ThrowsAsync<LeaseException>(() => AcquireAsync(store, "c1", []))!.Message, Does.Contain("the node has no pod CIDR yet"));
    }

    [Test]
    public async Task Two_hundred_at_once_get_different_addresses_and_share_disk_syncs()
    {
        using var store = Open();
        var leases = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => AcquireAsync(store, $"c{i}", "10.0.0.0/24", "10.0.0.1"))));
        Assert.That(leases.Select(l => l.Addresses[0]).Distinct().Count(), Is.EqualTo(200));
        store.Dispose();
        using var again = Open();
        Assert.That(again.Leases, Is.EquivalentTo(leases));
    }

    [Test]
    public async Task Two_agents_cannot_use_one_journal()
    {
        using var store = Open();
        await AcquireAsync(store, "c1", "10.0.0.0/24", "10.0.0.1");
        Assert.Throws<IOException>(() => Open());
    }

    [Test]
    public async Task A_full_disk_gives_no_lease_and_breaks_nothing()
    {
        var mount = _folder.File("full");
        Directory.CreateDirectory(mount);
        await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", "size=8k", "weft-test", mount]);
        try
        {
            using var store = LeaseStore.Open(Path.Combine(mount, "leases.journal"), TimeSpan.FromSeconds(30), _time, NullLogger.Instance);
            var given = new List<Lease>();
            LeaseException? error = null;
            for (var i = 0; error is null && i < 1000; i++)
            {
                try
                {
                    given.Add(await AcquireAsync(store, $"c{i}", "10.0.0.0/16", "10.0.0.1"));
                }
                catch (LeaseException e)
                {
                    error = e;
                }
            }

            Assert.That(error!.Message, Does.Contain("the lease cannot be written").And.Contain("free space"));
            Assert.That(store.Leases, Is.EquivalentTo(given));

            // A release needs no room to free the address in memory, and more room makes leases possible again.
            await store.ReleaseAsync(given[0].ContainerId, "eth0");
            await ChildProcess.RunAsync("mount", ["-o", "remount,size=64k", mount]);
            given.Add(await AcquireAsync(store, "later", "10.0.0.0/16", "10.0.0.1"));
            store.Dispose();
            using var again = LeaseStore.Open(Path.Combine(mount, "leases.journal"), TimeSpan.FromSeconds(30), _time, NullLogger.Instance);
            Assert.That(again.Leases.Select(l => l.ContainerId), Is.SupersetOf(given.Skip(1).Select(l => l.ContainerId)));
            Assert.That(again.Leases.SelectMany(l => l.Addresses), Is.Unique);
        }
        finally
        {
            await ChildProcess.RunAsync("umount", [mount]);
        }
    }

    [Test]
    public async Task The_journal_stays_short()
    {
        using (var store = Open(rest: TimeSpan.Zero))
        {
            await AcquireAsync(store, "keep", "10.0.0.0/24", "10.0.0.1");
            for (var i = 0; i < 1500; i++)
            {
                await AcquireAsync(store, $"c{i}", "10.0.0.0/24", "10.0.0.1");
                await store.ReleaseAsync($"c{i}", "eth0");
            }
        }

        Assert.That(File.ReadAllLines(Journal), Has.Length.LessThan(1100));
        using var again = Open(rest: TimeSpan.Zero);
        Assert.That(again.Leases.Select(l => l.ContainerId), Is.EqualTo(new[] { "keep" }));
    }

    [Test]
    public async Task Reconciliation_gives_live_containers_their_leases_back_and_ends_the_others()
    {
        using var store = Open();
        var attached = await AcquireAsync(store, "attached", "10.0.0.0/24", "10.0.0.1");
        await AcquireAsync(store, "gone", "10.0.0.0/24", "10.0.0.1");
        await AcquireAsync(store, "live", "10.0.0.0/24", "10.0.0.1");
        Attachment[] attachments = [AttachmentOf("attached", [.. attached.Addresses]), AttachmentOf("lost", ["10.0.0.77", "fd00::77"])];
        var result = await store.ReconcileAsync(attachments, l => l.ContainerId == "live", CancellationToken.None);
        Assert.That(result, Is.EqualTo((1, 1)));
        Assert.That(store.Leases.Select(l => l.ContainerId), Is.EquivalentTo(new[] { "attached", "live", "lost" }));
        var error = Assert.ThrowsAsync<LeaseException>(() =>
            store.AcquireAsync(Request("c9", "10.0.0.0/24", "10.0.0.1") with { Fixed = [IPAddress.Parse("10.0.0.77")] }, CancellationToken.None));
        Assert.That(error!.Message, Does.Contain("is held by container lost/eth0"));
    }

    internal static LeaseRequest Request(string container, string cidr, string gateway) => Request(container, [new SwitchSubnet(cidr, gateway)]);

    internal static LeaseRequest Request(string container, EquatableArray<SwitchSubnet> subnets) =>
        new() { ContainerId = container, IfName = "eth0", Pod = $"default/{container}", Configuration = "weft", Subnets = subnets };

    internal static async Task<Lease> AcquireAsync(LeaseStore store, string container, EquatableArray<SwitchSubnet> subnets) =>
        (await store.AcquireAsync(Request(container, subnets), CancellationToken.None)).Lease;

    private static Task<Lease> AcquireAsync(LeaseStore store, string container, string cidr, string gateway) =>
        AcquireAsync(store, container, [new SwitchSubnet(cidr, gateway)]);

    private static Attachment AttachmentOf(string container, EquatableArray<string> addresses) => new()
    {
        Pod = $"default/{container}", ContainerId = container, IfName = "eth0", Netns = "/run/netns/x", HostInterface = "w0", Mac = "0a:58:00:00:00:01", Addresses = addresses,
    };

    private LeaseStore Open(TimeSpan? rest = null) => LeaseStore.Open(Journal, rest ?? TimeSpan.FromSeconds(30), _time, NullLogger.Instance);

    internal sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
