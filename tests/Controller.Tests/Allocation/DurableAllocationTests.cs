using Weft.Controller.Allocation;
using Weft.Kubernetes;
using Weft.Lab.ApiServer;
using Weft.TestSupport;

namespace Weft.Controller.Tests.Allocation;

/// <summary>What is allocated is in Kubernetes objects, and what an API server says about conflicts is understood.</summary>
public sealed class DurableAllocationTests
{
    private LabApi _api = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _api = await LabApi.StartAsync(o => o with { DisabledControllers = [ControllerNames.Scheduler] });
        await _api.CreateNamespaceAsync("weft-system");
    }

    [OneTimeTearDown]
    public async Task Stop() => await _api.DisposeAsync();

    [Test]
    public async Task Keys_survive_a_restart_and_two_controllers_agree()
    {
        using var first = new NetworkKeys(_api.Client, "weft-system", TimeProvider.System);
        using var second = new NetworkKeys(_api.Client, "weft-system", TimeProvider.System);
        NetworkOwner[] owners = [new("uid-a", "vpc a"), new("uid-b", "vpc b")];
        var given = await first.ReconcileAsync(owners[..1], _ => true, default);
        var both = await second.ReconcileAsync(owners, _ => true, default);
        Assert.That(both.Keys["uid-a"], Is.EqualTo(given.Keys["uid-a"]));

        // What the first knows is old now: the API server refuses its write, and it reads again.
        var again = await first.ReconcileAsync([.. owners, new("uid-c", "c")], _ => true, default);
        Assert.Multiple(() =>
        {
            Assert.That(again.Keys["uid-a"], Is.EqualTo(given.Keys["uid-a"]));
            Assert.That(again.Keys["uid-b"], Is.EqualTo(both.Keys["uid-b"]));
            Assert.That(again.Keys.Values, Is.Unique);
        });
        var map = await _api.Client.ReadAsync(Resources.ConfigMaps, "weft-system", "weft-network-keys", default);
        Assert.That(map!.Data![$"{again.Keys["uid-a"]}"], Is.EqualTo("uid-a vpc_a"), "readable for people");
        second.Forget();
        await second.ReconcileAsync(owners[1..], _ => true, default);
        map = await _api.Client.ReadAsync(Resources.ConfigMaps, "weft-system", "weft-network-keys", default);
        Assert.That(map!.Data![$"{again.Keys["uid-a"]}"], Does.StartWith("uid-a vpc_a resting since 20"));
    }

    [Test]
    public async Task Terms_grow_whoever_asks()
    {
        var terms = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => new Terms(_api.Client, "weft-system").BeginAsync(default)));
        Assert.That(terms, Is.Unique);
        Assert.That(await new Terms(_api.Client, "weft-system").BeginAsync(default), Is.EqualTo(terms.Max() + 1));
    }

    [Test]
    public async Task A_claim_is_written_only_to_the_version_that_was_decided_upon()
    {
        var pod = await _api.CreatePodAsync("default", "claims");
        var claim = new AddressClaim { Uid = pod.Metadata.Uid!, Term = 1, Subnet = "team/web", Addresses = ["10.0.0.2"] };
        var claims = new PodClaims(_api.Client);
        Assert.That(await claims.TryWriteAsync(pod, claim, default), Is.True);
        Assert.That(await claims.TryWriteAsync(pod, claim with { Addresses = ["10.0.0.3"] }, default), Is.False, "the pod is a newer version");
        var stored = await _api.Client.ReadAsync(Resources.Pods, "default", "claims", default);
        Assert.That(AddressClaim.Read(stored!.Metadata.Annotations![AddressClaim.Annotation], pod.Metadata.Uid!), Is.EqualTo(claim));

        await claims.RefuseAsync(stored, "the subnet is full", default);
        var refused = await _api.Client.ReadAsync(Resources.Pods, "default", "claims", default);
        Assert.That(refused!.Metadata.Annotations![PodClaims.RefusalAnnotation], Is.EqualTo("the subnet is full"));
        Assert.That(refused.Metadata.ResourceVersion, Is.Not.EqualTo(stored.Metadata.ResourceVersion));
        await _api.Client.DeleteAsync(Resources.Pods, "default", "claims", default);
    }
}
