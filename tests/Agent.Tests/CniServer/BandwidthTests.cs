using System.Text.Json;
using Weft.Agent.CniServer;
using Weft.Agent.Tests.Faults;
using Weft.Agent.Tests.Host;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>The capability <c>bandwidth</c>: a queue on the pod's side for what it sends, QoS rows of its port for what comes to it. What packets feel of it is tested in the lab.</summary>
public sealed class BandwidthTests
{
    private const string Capability = ""","runtimeConfig":{"bandwidth":{"ingressRate":20000000,"ingressBurst":2147483647,"egressRate":10000000,"egressBurst":0}}""";
    private AgentBench _node = null!;
    private TestNamespace _pod = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _pod = await TestNamespace.CreateAsync();
        _node = await AgentBench.StartAsync(PlanCases.TwoPods(
            new LogicalSwitch { Id = "node1", NetworkKey = 1, Node = "node1", Subnets = [new("10.244.1.0/24", "10.244.1.1")] }, PlanCases.Logical("c")));
        await _node.Cni.StartAsync(CancellationToken.None);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _node.DisposeAsync();
        await _pod.DisposeAsync();
    }

    [TearDown]
    public async Task RemoveAsync() => await _node.CallAsync("DEL", "c-c", "c", _pod.Path);

    [Test]
    public async Task A_limit_is_there_both_ways_and_goes_with_the_pod()
    {
        Assert.That((await AddAsync(Capability)).ExitCode, Is.Zero);
        Assert.That(await QueueInPodAsync(), Does.Contain("tbf").And.Contain("rate 10Mbit"));
        Assert.That(await _node.Database.VsctlAsync(false, "--columns=type,other_config", "list", "qos"), Does.Contain("linux-htb").And.Contain("max-rate=\"20000000\""));
        Assert.That(await _node.Database.VsctlAsync(false, "--columns=other_config", "list", "queue"), Does.Contain("burst=\"2000000\"").And.Contain("min-rate=\"20000000\""));
        Assert.That((await AddAsync(Capability)).ExitCode, Is.Zero, "again");
        Assert.That(await RowsAsync(), Has.Length.EqualTo(2), "one QoS, one Queue");
        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That(await RowsAsync(), Is.Empty);
    }

    [Test]
    public async Task An_add_without_a_limit_has_none_and_ends_an_earlier_one_of_what_comes()
    {
        Assert.That((await AddAsync(Capability)).ExitCode, Is.Zero);
        Assert.That((await AddAsync("")).ExitCode, Is.Zero);
        Assert.That(await RowsAsync(), Is.Empty);
        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That((await AddAsync("")).ExitCode, Is.Zero);
        Assert.That(await QueueInPodAsync(), Does.Not.Contain("tbf"));
    }

    [TestCase("destroy QoS", "--all", "destroy", "qos")]
    [TestCase("a port without its QoS", "clear", "port", "NAME", "qos")]
    [TestCase("another rate", "set", "qos", "QOS", "other_config:max-rate=1000")]
    [TestCase("another rate of the queue", "set", "queue", "QUEUE", "other_config:max-rate=1000")]
    [TestCase("a port that is removed and leaves its QoS", "del-port", "NAME")]
    public async Task A_limit_that_somebody_takes_away_is_there_again_within_a_second(string what, params string[] command)
    {
        var reply = await AddAsync(Capability);
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        var repaired = _node.Rows.Repaired;
        var name = PodInterface.HostNameOf("c-c", "eth0");
        var (qos, queue) = ((await IdsAsync("qos")).Single(), (await IdsAsync("queue")).Single());
        var words = command.Select(w => w switch { "NAME" => name, "QOS" => qos, "QUEUE" => queue, _ => w }).ToArray();
        await _node.Database.VsctlAsync(false, words[0] == "--all" ? ["--", "clear", "port", name, "qos", "--", .. words] : words);
        await Eventually.True($"the limit after {what}", async () => _node.Rows.Find(name)?.Limit is { Rate: 20_000_000 } && (await RowsAsync()).Length == 2, TimeSpan.FromSeconds(1));
        Assert.That(_node.Rows.Repaired, Is.GreaterThan(repaired));
    }

    [Test]
    public async Task An_agent_that_starts_again_knows_the_limits_and_what_is_left_of_pods_that_are_gone()
    {
        Assert.That((await AddAsync(Capability)).ExitCode, Is.Zero);
        var name = PodInterface.HostNameOf("c-c", "eth0");
        await RestartAsync();
        Assert.That(_node.Loop.Published.Facts.Ports["c-c/eth0"].Attachment, Has.Property(nameof(Attachment.IngressLimit)).EqualTo(new BandwidthLimit(20_000_000, 2_000_000))
            .And.Property(nameof(Attachment.EgressLimit)).EqualTo(new BandwidthLimit(10_000_000, 200_000)));
        Assert.That(await RowsAsync(), Has.Length.EqualTo(2));
        await _node.StopAgentAsync();
        await _node.Database.VsctlAsync(true, "del-port", name);
        Assert.That(await RowsAsync(), Has.Length.EqualTo(2), "they stay when only the port is removed");
        await StartAgainAsync();
        await Eventually.True("nothing is left of the port's limit", async () => (await RowsAsync()).Length == 0);
    }

    [Test]
    public async Task Check_names_a_limit_that_is_gone()
    {
        var added = await AddAsync(Capability);
        Task<CniReply> CheckAsync() => _node.CallAsync("CHECK", "c-c", "c", _pod.Path, $",\"prevResult\":{added.Output}");

        // The bench's switch has no real devices: what the kernel would have from it, the test sets.
        await _node.Node.RunAsync($"tc qdisc replace dev {PodInterface.HostNameOf("c-c", "eth0")} root htb");
        Assert.That((await CheckAsync()).Output, Is.Empty);
        await _node.Node.RunAsync($"tc qdisc del dev {PodInterface.HostNameOf("c-c", "eth0")} root");
        Assert.That((await CheckAsync()).Output, Does.Contain("does not limit what comes to the pod"));
        await _node.Node.RunAsync($"tc qdisc replace dev {PodInterface.HostNameOf("c-c", "eth0")} root htb");
        await _pod.RunAsync("tc qdisc del dev eth0 root");
        Assert.That((await CheckAsync()).Output, Does.Contain("does not limit what the pod sends"));
    }

    [TestCase("""{"egressRate":999}""", "runtimeConfig.bandwidth.egressRate is 999: a limit is 1000 to 34359738360 bits per second", "kubernetes.io/egress-bandwidth")]
    [TestCase("""{"ingressRate":99999999999}""", "runtimeConfig.bandwidth.ingressRate is 99999999999", "leave it out for no limit")]
    [TestCase("""{"ingressBurst":5}""", "ingressBurst is 5, but ingressRate is missing", "kubernetes.io/ingress-bandwidth")]
    [TestCase("""{"ingressRate":"fast"}""", "ingressRate must be a whole number of bits", "annotations")]
    [TestCase("""{"ingressRate":-1}""", "ingressRate must be a whole number of bits", "annotations")]
    [TestCase("""{"egressRate":1.5}""", "egressRate must be a whole number of bits", "annotations")]
    [TestCase("[]", "runtimeConfig.bandwidth must be an object", "annotations")]
    public async Task A_bad_value_is_named_and_nothing_is_made(string bandwidth, string message, string remedy)
    {
        var reply = await AddAsync($",\"runtimeConfig\":{{\"bandwidth\":{bandwidth}}}");
        using var error = JsonDocument.Parse(reply.Output);
        Assert.That(error.RootElement.GetProperty("code").GetInt32(), Is.EqualTo(7));
        Assert.That(error.RootElement.GetProperty("msg").GetString(), Does.Contain(message));
        Assert.That(error.RootElement.GetProperty("details").GetString(), Does.Contain(remedy));
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"));
    }

    private Task<CniReply> AddAsync(string more) => _node.CallAsync("ADD", "c-c", "c", _pod.Path, more);

    private Task<string> QueueInPodAsync() => _pod.RunAsync("tc qdisc show dev eth0");

    private async Task<string[]> RowsAsync() => [.. await IdsAsync("qos"), .. await IdsAsync("queue")];

    private async Task<string[]> IdsAsync(string table) =>
        (await _node.Database.VsctlAsync(false, "--bare", "--columns=_uuid", "list", table)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task RestartAsync()
    {
        await _node.StopAgentAsync();
        await StartAgainAsync();
    }

    private async Task StartAgainAsync()
    {
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync("the restart");
        await _node.Cni.StartAsync(CancellationToken.None);
    }
}
