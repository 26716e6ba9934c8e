using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer.Leases;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>No address twice, whatever is killed when: the journal is cut, damaged and reopened at every place.</summary>
public sealed class LeaseCrashTests
{
    private static readonly EquatableArray<SwitchSubnet> Subnets = [new("10.0.0.0/28", "10.0.0.1"), new("fd00::/64", "fd00::1")];
    private readonly LeaseStoreTests.ManualTime _time = new();

    // In memory: thousands of syncs of a real disk prove nothing more about cuts, and take a minute on a busy one.
    private string _folder = "";

    private string Journal => Path.Combine(_folder, "leases.journal");

    [SetUp]
    public void SetUp()
    {
        _folder = $"/dev/shm/weft-{Guid.NewGuid():N}";
        Directory.CreateDirectory(_folder);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_journal_cut_at_any_byte_has_every_lease_that_was_whole_before()
    {
        // (length of the file once the lease counted, the lease)
        var confirmed = new List<(long Length, Lease Lease)>();
        using (var store = Open())
        {
            for (var i = 0; i < 5; i++)
            {
                var lease = await LeaseStoreTests.AcquireAsync(store, $"c{i}", Subnets);
                confirmed.Add((new FileInfo(Journal).Length, lease));
            }
        }

        var whole = File.ReadAllBytes(Journal);
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(Journal, whole[..length]);
            using var store = Open();
            var expected = confirmed.Where(c => c.Length <= length).Select(c => c.Lease).ToList();

            // A record that lacks only its line end was never confirmed; it counts as damaged.
            Assert.That(store.Leases, Is.EquivalentTo(expected), $"cut at byte {length}");
            var next = await LeaseStoreTests.AcquireAsync(store, "next", Subnets);
            Assert.That(expected.SelectMany(l => l.Addresses).Intersect(next.Addresses), Is.Empty, $"cut at byte {length}");
            store.Dispose();
            using var again = Open();
            Assert.That(again.Leases, Is.EquivalentTo([.. expected, next]), $"cut at byte {length}, then used");
        }
    }

    [Test]
    public async Task A_damaged_byte_costs_at_most_the_record_that_it_is_in()
    {
        var leases = new List<Lease>();
        using (var store = Open())
        {
            for (var i = 0; i < 4; i++)
            {
                leases.Add(await LeaseStoreTests.AcquireAsync(store, $"c{i}", Subnets));
            }
        }

        var whole = File.ReadAllBytes(Journal);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x20;
            File.WriteAllBytes(Journal, damaged);
            using var store = Open();

            // A damaged line end takes the next record with it.
            Assert.That(store.Leases, Is.SubsetOf(leases).And.Count.GreaterThanOrEqualTo(2), $"damaged at byte {at}");
        }
    }

    [Test]
    public void No_address_is_given_twice_under_random_use_and_crashes()
    {
        // Each step: 0-5 acquire for container n, 6-8 release, 9 crash with a torn tail, 10 clean restart, 11 time passes.
        var steps = Gen.Choose(0, 11).SelectMany(kind => Gen.Choose(0, 9).Select(n => (Kind: kind, N: n))).ListOf(60).ToArbitrary();
        Prop.ForAll(steps, list => RunAsync([.. list]).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(FullRun ? 500 : 60));
    }

    private static bool FullRun => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";

    private async Task RunAsync((int Kind, int N)[] steps)
    {
        File.Delete(Journal);
        var model = new Dictionary<string, Lease>();
        var store = Open();
        try
        {
            foreach (var (kind, n) in steps)
            {
                switch (kind)
                {
                    case <= 5:
                        await AcquireAsync(store, model, $"c{n}");
                        break;
                    case <= 8:
                        await store.ReleaseAsync($"c{n}", "eth0");
                        model.Remove($"c{n}");
                        break;
                    case 9 or 10:
                        store.Dispose();
                        if (kind == 9)
                        {
                            // An append that was under way when the power went.
                            File.AppendAllText(Journal, "12ab34cd {\"give\":{\"containerId\":\"x\",\"addr"[..(4 * n)]);
                        }

                        store = Open();
                        break;
                    default:
                        _time.Now += TimeSpan.FromSeconds(20);
                        break;
                }

                Assert.That(store.Leases, Is.EquivalentTo(model.Values));
                Assert.That(store.Leases.SelectMany(l => l.Addresses), Is.Unique);
            }
        }
        finally
        {
            store.Dispose();
        }
    }

    private static async Task AcquireAsync(LeaseStore store, Dictionary<string, Lease> model, string container)
    {
        try
        {
            var lease = await LeaseStoreTests.AcquireAsync(store, container, Subnets);
            Assert.That(model.GetValueOrDefault(container) ?? lease, Is.EqualTo(lease));
            model[container] = lease;
        }
        catch (LeaseException e)
        {
            Assert.That(e.Message, Does.StartWith("no address is free in 10.0.0.0/28"));
        }
    }

    private LeaseStore Open() => LeaseStore.Open(Journal, TimeSpan.FromSeconds(30), _time, NullLogger.Instance);
}
