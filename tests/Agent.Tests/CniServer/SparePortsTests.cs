using System.Text.Json;
using Weft.Agent.CniServer;
using Weft.Agent.Tests.Faults;
using Weft.Agent.Tests.Host;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>Ports that are made before their pods come. What a crash leaves of such a pod is in <see cref="CrashPointTests"/>, packets are in the lab (TenantScaleTests).</summary>
public sealed class SparePortsTests
{
    private AgentBench _node = null!;
    private TestNamespace _pod = null!;
    private TestNamespace _other = null!;
    private TestNamespace _inner = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _pod = await TestNamespace.CreateAsync();
        _other = await TestNamespace.CreateAsync();
        _inner = await TestNamespace.CreateAsync();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await (_node?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _pod.DisposeAsync();
        await _other.DisposeAsync();
        await _inner.DisposeAsync();
    }

    [Test]
    public async Task A_pod_gets_one_that_waits_and_nobody_in_the_nodes_namespace_hears_of_it()
    {
        await NodeAsync(4);
        var waiting = await SparesAsync();
        Assert.That(waiting, Has.Length.EqualTo(4));
        var links = await _node.Node.IpAsync("-o link");
        var added = await AddAsync("c", _pod);
        var attachment = await AttachmentAsync("c");
        Assert.That(waiting, Does.Contain(attachment.HostInterface));
        Assert.That(await _node.Node.IpAsync("-o link"), Is.EqualTo(links), "no link came, went or changed");
        Assert.That(await _pod.IpAsync("-d link show eth0"), Does.Contain("macvlan").And.Contain(attachment.Mac).And.Contain("state UP"));
        Assert.That(await SparesAsync(), Does.Not.Contain(attachment.HostInterface));
        Assert.That((await _node.CallAsync("CHECK", "c-c", "c", _pod.Path, $",\"prevResult\":{added.Output}")).Output, Is.Empty);
        Assert.That((await AddAsync("c", _pod)).Output, Is.EqualTo(added.Output), "again");
        Assert.That(await _node.DifferencesAsync(), Is.Empty);

        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That(await _node.Node.IpAsync("-o link"), Does.Not.Contain(attachment.HostInterface), "each is used once");
        Assert.That(await _node.Database.VsctlAsync(false, "list-ports", "br-int"), Does.Not.Contain(attachment.HostInterface));
        Assert.That(await _pod.IpAsync("-o link"), Does.Not.Contain("eth0"));
    }

    [Test]
    public async Task They_are_made_again_when_half_are_gone()
    {
        await NodeAsync(1);
        var first = (await SparesAsync()).Single();
        var added = await Task.WhenAll(AddAsync("c", _pod), AddAsync("d", _other));
        Assert.That(added.Select(a => a.ExitCode), Is.All.Zero, added[0].Output + added[1].Output);
        var names = new[] { (await AttachmentAsync("c")).HostInterface, (await AttachmentAsync("d")).HostInterface };
        Assert.That(names, Does.Contain(first).And.Unique);
        await Eventually.True("another one", () => _node.Cni.SpareCount == 1);
        Assert.That((await SparesAsync()).Single(), Is.Not.EqualTo(first));
        Assert.That(await _node.DifferencesAsync(), Is.Empty);
    }

    [Test]
    public async Task Without_their_namespace_the_problem_is_named_and_pods_start_all_the_same()
    {
        await StartAsync(2, "/run/netns/there-is-none");
        var problem = await _node.ProblemAsync("NoSparePorts", "/run/netns/there-is-none");
        Assert.That(problem.Message, Does.Contain("sparePorts").And.Contain("pods start all the same"));
        Assert.That((await AddAsync("c", _pod)).ExitCode, Is.Zero);
        Assert.That((await AttachmentAsync("c")).HostInterface, Is.EqualTo(PodInterface.HostNameOf("c-c", "eth0")));
    }

    [Test]
    public async Task A_larger_MTU_needs_other_ones()
    {
        await NodeAsync(2);
        var before = await SparesAsync();
        var settings = (ClusterSettings)_node.Loop.Published.Facts.Slice.Items.Values.Single(i => i is ClusterSettings);
        _node.Loop.Post(_node.Change(settings with { Mtu = 8000 }));
        await Eventually.True("the MTU known", () => _node.Loop.Published.Facts.Slice.Settings?.Mtu == 8000);
        Assert.That((await AddAsync("c", _pod)).ExitCode, Is.Zero);
        Assert.That((await AttachmentAsync("c")).HostInterface, Is.EqualTo(PodInterface.HostNameOf("c-c", "eth0")), "those that wait are too small");
        await Eventually.True("larger ones", async () => await SparesAsync() is { Length: 2 } after && !after.Intersect(before).Any());
        Assert.That((await AddAsync("d", _other)).ExitCode, Is.Zero);
        Assert.That(await _other.IpAsync("-d link show eth0"), Does.Contain("macvlan").And.Contain("mtu 8000"));
    }

    [Test]
    public async Task An_agent_that_starts_takes_over_what_is_whole_and_removes_the_rest()
    {
        await NodeAsync(4);
        await AddAsync("c", _pod);
        var kept = (await AttachmentAsync("c")).HostInterface;
        var spares = await SparesAsync();
        await _node.StopAgentAsync();
        await _node.Node.IpAsync($"link del {spares[0]}");
        await _node.Database.VsctlAsync(true, "del-port", "br-int", spares[1]);
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await ServeAsync(spares.Length - 2);
        Assert.That(await SparesAsync(), Does.Not.Contain(spares[0]).And.Not.Contain(spares[1]).And.Contain(spares[2]).And.Not.Contain(kept));
        Assert.That(await _node.Node.IpAsync("-o link"), Does.Not.Contain(spares[1]).And.Contain(kept));
        Assert.That((await AddAsync("d", _other)).ExitCode, Is.Zero);
        Assert.That((await AttachmentAsync("d")).HostInterface, Is.EqualTo(spares[2]));
        Assert.That(await _node.DifferencesAsync(), Is.Empty);
    }

    [Test]
    public async Task A_refused_lease_gives_the_one_back_that_it_took()
    {
        await NodeAsync(2);
        var refused = await _node.CallAsync("ADD", "c-c", "c", _pod.Path, ""","runtimeConfig":{"ips":["192.0.2.7"]}""");
        Assert.That(refused.ExitCode, Is.EqualTo(1), refused.Output);
        Assert.That(_node.Cni.SpareCount, Is.EqualTo(2));
        Assert.That((await AddAsync("c", _pod)).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Without_the_option_those_that_wait_go_and_pods_keep_theirs()
    {
        await NodeAsync(3);
        await AddAsync("c", _pod);
        var kept = (await AttachmentAsync("c")).HostInterface;
        await Eventually.True("no more on the way", async () => _node.Cni.SpareCount == (await SparesAsync()).Length && _node.Cni.SpareCount >= 2);
        await _node.StopAgentAsync();
        _node.SparePorts = 0;
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await ServeAsync(0);
        await Eventually.True("no port without a pod", async () => (await SparesAsync()).Length == 0);
        Assert.That((await _inner.IpAsync("-o link")).Split('\n').Where(l => l.Contains(": w", StringComparison.Ordinal)), Has.Exactly(1).Contains(kept));
        Assert.That((await AddAsync("c", _pod)).ExitCode, Is.Zero, "again");
        Assert.That(await _pod.IpAsync("-d link show eth0"), Does.Contain("macvlan"));
        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That(await _node.Node.IpAsync("-o link"), Does.Not.Contain(kept));
        Assert.That(_node.Problems.Where(p => p.Reason == "NoSparePorts"), Is.Empty);
    }

    [Test]
    public async Task A_refused_add_leaves_nothing_of_the_one_that_it_took()
    {
        await NodeAsync(3);
        var spares = await SparesAsync();
        await _pod.IpAsync("link add eth0 type veth peer name other");
        var refused = await AddAsync("c", _pod);
        using var error = JsonDocument.Parse(refused.Output);
        Assert.That(error.RootElement.GetProperty("msg").GetString(), Does.Contain("interface eth0 exists already"));
        var used = spares.Except(await SparesAsync()).Single();
        Assert.That(await _node.Node.IpAsync("-o link"), Does.Not.Contain(used));
        Assert.That(await _node.Database.VsctlAsync(false, "list-ports", "br-int"), Does.Not.Contain(used));
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"));
    }

    [Test]
    public async Task What_a_pod_sends_and_gets_is_limited_on_it_as_on_any()
    {
        await NodeAsync(2);
        var added = await _node.CallAsync("ADD", "c-c", "c", _pod.Path, ""","runtimeConfig":{"bandwidth":{"ingressRate":20000000,"egressRate":10000000}}""");
        Assert.That(added.ExitCode, Is.Zero, added.Output);
        var name = (await AttachmentAsync("c")).HostInterface;
        Assert.That(name, Is.Not.EqualTo(PodInterface.HostNameOf("c-c", "eth0")));
        Assert.That(await _pod.RunAsync("tc qdisc show dev eth0"), Does.Contain("tbf").And.Contain("rate 10Mbit"));
        Assert.That(_node.Rows.Find(name)?.Limit, Has.Property(nameof(BandwidthLimit.Rate)).EqualTo(20_000_000));
    }

    private Task<CniReply> AddAsync(string pod, TestNamespace netns) => _node.CallAsync("ADD", $"c-{pod}", pod, netns.Path);

    private async Task<Attachment> AttachmentAsync(string pod)
    {
        var id = $"c-{pod}/eth0";
        return await Eventually.Some($"the attachment of {pod}", () => Task.FromResult(_node.Loop.Published.Facts.Ports.GetValueOrDefault(id)?.Attachment));
    }

    private async Task<string[]> SparesAsync() => (await _node.Database.VsctlAsync(false, "--bare", "--columns=name", "find", "interface", "external_ids:weft-owner=spare"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task NodeAsync(int spares)
    {
        await StartAsync(spares, _inner.Path);
        await Eventually.True($"{spares} ports made in advance: {_node.Cni.SpareProblem}", () => _node.Cni.SpareCount == spares);
    }

    private async Task StartAsync(int spares, string path)
    {
        _node = await AgentBench.StartAsync(PlanCases.TwoPods(
            new LogicalSwitch { Id = "node1", NetworkKey = 1, Node = "node1", Subnets = [new("10.244.1.0/24", "10.244.1.1"), new("fd00:10:244:1::/64", "fd00:10:244:1::1")] },
            PlanCases.Logical("c"), PlanCases.Logical("d")), bench =>
            {
                (bench.SparePorts, bench.SparesPath) = (spares, path);
                return Task.CompletedTask;
            });
        await _node.Cni.StartAsync(CancellationToken.None);
    }

    private async Task ServeAsync(int atLeast)
    {
        await _node.InSyncAsync("a restart");
        await _node.Cni.StartAsync(CancellationToken.None);
        await Eventually.True("ports made in advance", () => _node.Cni.SpareCount >= atLeast);
    }
}
