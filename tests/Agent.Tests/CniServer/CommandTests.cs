using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Agent.CniServer;
using Weft.Agent.Tests.Host;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>DEL, CHECK, GC, STATUS, VERSION, and what is refused.</summary>
public sealed class CommandTests
{
    private CniBench _bench = null!;

    [SetUp]
    public async Task SetUp() => _bench = await CniBench.StartAsync();

    [TearDown]
    public async Task TearDown() => await _bench.DisposeAsync();

    [Test]
    public async Task Del_leaves_nothing_and_may_be_repeated()
    {
        await _bench.CallAsync("ADD");
        for (var i = 0; i < 3; i++)
        {
            Assert.That(await _bench.CallAsync("DEL"), Is.EqualTo(new CniReply { ExitCode = 0, Output = "" }));
            Assert.That(_bench.Network.Attachments, Is.Empty);
            Assert.That(_bench.Service.Leases, Is.Empty);
            Assert.That(await _bench.Node.IpAsync("-br link show type veth"), Is.Empty);
        }
    }

    [Test]
    public async Task Del_works_when_namespace_pod_and_arguments_are_gone()
    {
        await _bench.CallAsync("ADD");
        await _bench.Pod.DisposeAsync();
        var reply = await _bench.CallAsync(_bench.Request("DEL") with { Netns = "", Args = "" });
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(_bench.Service.Leases, Is.Empty);
    }

    [Test]
    public async Task Del_keeps_the_lease_until_the_switch_answers()
    {
        await _bench.CallAsync("ADD");
        _bench.Network.OnDetach = () => throw new PodNetworkException(CniErrorCode.TryAgainLater, "no answer from the switch");
        Assert.That(CodeOf(await _bench.CallAsync("DEL")), Is.EqualTo(CniErrorCode.TryAgainLater));
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
        _bench.Network.OnDetach = () => Task.CompletedTask;
        Assert.That((await _bench.CallAsync("DEL")).ExitCode, Is.Zero);
        Assert.That(_bench.Service.Leases, Is.Empty);
    }

    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public async Task Check_of_a_healthy_pod_is_content(string version)
    {
        var result = await AddAsync(version);
        Assert.That(await CheckAsync(version, result), Is.EqualTo(new CniReply()));
    }

    [TestCase("addr del 10.10.0.2/24 dev eth0", "address 10.10.0.2/24 is missing in the pod")]
    [TestCase("addr del fd00:10::2/64 dev eth0", "address fd00:10::2/64 is missing in the pod")]
    [TestCase("route del default", "the route to 0.0.0.0/0 via 10.10.0.1 is missing in the pod")]
    [TestCase("link set eth0 down", "the interface is down in the pod")]
    [TestCase("link set eth0 mtu 1300", "the MTU is 1300, not 1400")]
    [TestCase("link set eth0 address 0a:00:00:00:00:01", "the MAC address is 0a:00:00:00:00:01, not 0a:58:0a:0a:00:02")]
    [TestCase("link set eth0 name eth9", "the interface is missing in the pod")]
    [TestCase("link del eth0", "is missing")]
    public async Task Check_names_what_changed_in_the_pod(string change, string expected)
    {
        var result = await AddAsync("1.1.0");
        if (change.Contains("name", StringComparison.Ordinal))
        {
            await _bench.Pod.IpAsync("link set eth0 down");
        }

        await _bench.Pod.IpAsync(change);
        var reply = await CheckAsync("1.1.0", result);
        Assert.That(CodeOf(reply), Is.EqualTo(CniErrorCode.CheckFailed));
        Assert.That(reply.Output, Does.Contain(expected));
    }

    [Test]
    public async Task Check_names_what_changed_on_the_host_and_in_the_switch()
    {
        var result = await AddAsync("1.0.0");
        _bench.Network.CheckAnswer = "port w1 has no ofport";
        Assert.That((await CheckAsync("1.0.0", result)).Output, Does.Contain("port w1 has no ofport"));
        await _bench.Node.IpAsync($"link set {_bench.Network.Attachments.Single().HostInterface} down");
        Assert.That((await CheckAsync("1.0.0", result)).Output, Does.Contain("is down"));
        await _bench.CallAsync("DEL");
        Assert.That((await CheckAsync("1.0.0", result)).Output, Does.Contain("no lease"));
    }

    [TestCase("{}", "has no interface eth0")]
    [TestCase("""{"interfaces":5}""", "is no CNI result")]
    [TestCase("""{"interfaces":[{"name":7}]}""", "is no CNI result")]
    public async Task Check_with_a_strange_result_says_so(string previous, string expected)
    {
        await AddAsync("1.0.0");
        var reply = await CheckAsync("1.0.0", previous);
        Assert.That(CodeOf(reply), Is.EqualTo(CniErrorCode.InvalidConfiguration));
        Assert.That(reply.Output, Does.Contain(expected));
    }

    [Test]
    public async Task Garbage_collection_removes_what_the_runtime_does_not_know()
    {
        await using var other = await TestNamespace.CreateAsync();
        await _bench.CallAsync("ADD", config: CniBench.Config("1.1.0"));
        await _bench.CallAsync("ADD", container: "c2", netns: other.Path, config: CniBench.Config("1.1.0"));
        var config = CniBench.Config("1.1.0", """, "cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}]""");
        var reply = await _bench.CallAsync(new CniRequest { Command = "GC", Config = config });
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(_bench.Service.Leases.Select(l => l.ContainerId), Is.EqualTo(new[] { "c1" }));
        Assert.That(_bench.Network.Attachments.Select(a => a.ContainerId), Is.EqualTo(new[] { "c1" }));
        Assert.That(await other.IpAsync("-br link"), Does.Not.Contain("eth0"));
    }

    [Test]
    public async Task Garbage_collection_of_another_configuration_leaves_ours_alone()
    {
        await _bench.CallAsync("ADD", config: CniBench.Config("1.1.0"));
        var config = """{"cniVersion":"1.1.0","name":"other","type":"weft-cni","cni.dev/valid-attachments":[]}""";
        Assert.That((await _bench.CallAsync(new CniRequest { Command = "GC", Config = config })).ExitCode, Is.Zero);
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Garbage_collection_goes_on_after_a_failure()
    {
        await using var other = await TestNamespace.CreateAsync();
        await _bench.CallAsync("ADD");
        await _bench.CallAsync("ADD", container: "c2", netns: other.Path);
        var calls = 0;
        _bench.Network.OnDetach = () => calls++ == 0 ? throw new PodNetworkException(11, "no answer") : Task.CompletedTask;
        var config = CniBench.Config("1.1.0", """, "cni.dev/valid-attachments":[]""");
        var reply = await _bench.CallAsync(new CniRequest { Command = "GC", Config = config });
        Assert.That(reply.Output, Does.Contain("1 attachments could not be removed: no answer"));
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Status_says_whether_pods_can_be_attached()
    {
        var request = new CniRequest { Command = "STATUS", Config = CniBench.Config("1.1.0") };
        Assert.That(await _bench.CallAsync(request), Is.EqualTo(new CniReply()));
        _bench.Network.NotReadyReason = "ovsdb-server does not answer";
        var reply = await _bench.CallAsync(request);
        Assert.That(CodeOf(reply), Is.EqualTo(50));
        Assert.That(reply.Output, Does.Contain("ovsdb-server does not answer"));
    }

    [Test]
    public async Task Version_lists_what_is_spoken()
    {
        var reply = await _bench.CallAsync(new CniRequest { Command = "VERSION", Config = """{"cniVersion":"1.0.0"}""" });
        Assert.That(reply.Output, Is.EqualTo("""{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}"""));
    }

    [TestCase("CHECK", "0.3.1")]
    [TestCase("GC", "1.0.0")]
    [TestCase("STATUS", "0.4.0")]
    public async Task Commands_that_a_version_does_not_have_are_refused(string command, string version)
    {
        var reply = await _bench.CallAsync(command, config: CniBench.Config(version));
        Assert.That(CodeOf(reply), Is.EqualTo(CniErrorCode.IncompatibleVersion));
        Assert.That(reply.Output, Does.Contain($"{command} does not exist in CNI {version}"));
    }

    private static readonly TestCaseData[] Refused =
    [
        new("""{"config":"{"}""", 6, "standard input is no JSON"),
        new("""{"config":""}""", 6, "standard input is no JSON"),
        new("""{"config":"[]"}""", 7, "must be a JSON object"),
        new("""{"config":"{\"name\":\"weft\"}"}""", 1, "cniVersion '(missing)' is not supported"),
        new("""{"config":"{\"cniVersion\":\"9.9.9\",\"name\":\"weft\"}"}""", 1, "cniVersion '9.9.9' is not supported"),
        new("""{"config":"{\"cniVersion\":7,\"name\":\"weft\"}"}""", 7, "cniVersion must be a text"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\"}"}""", 7, "name is missing"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"runtimeConfig\":[]}"}""", 7, "runtimeConfig must be an object"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"runtimeConfig\":{\"ips\":[\"x\"]}}"}""", 7, "has 'x', which is no IP address"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"runtimeConfig\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}}"}""", 7, "two addresses of one family"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"runtimeConfig\":{\"mac\":\"01:00:00:00:00:00\"}}"}""", 7, "no unicast MAC address"),
        new("""{"config":"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{}}"}""", 7, "prevResult is given to ADD"),
        new("""{"containerId":""}""", 4, "CNI_CONTAINERID"),
        new("""{"containerId":"../x"}""", 4, "CNI_CONTAINERID"),
        new("""{"ifName":"a/b"}""", 4, "CNI_IFNAME"),
        new("""{"ifName":"a23456789012345678"}""", 4, "CNI_IFNAME"),
        new("""{"ifName":".."}""", 4, "CNI_IFNAME"),
        new("""{"ifName":null}""", 6, "ifName"),
        new("""{"netns":""}""", 4, "CNI_NETNS"),
        new("""{"netns":"relative"}""", 4, "CNI_NETNS"),
        new("""{"netns":"/run/netns/none-such"}""", 3, "does not exist"),
        new("""{"netns":"/etc/hostname"}""", 100, "cannot use /etc/hostname as a network namespace, which it is not: EINVAL"),
        new("""{"args":""}""", 4, "K8S_POD_NAMESPACE is missing"),
        new("""{"args":"K8S_POD_NAMESPACE=a"}""", 4, "K8S_POD_NAME is missing"),
        new("""{"args":"nonsense"}""", 4, "'nonsense' is not of the form KEY=VALUE"),
        new("""{"args":"K8S_POD_NAMESPACE=default;K8S_POD_NAME=unknown"}""", 11, "pod default/unknown is not known on this node"),
        new("""{"command":"add"}""", 4, "CNI_COMMAND is 'add'"),
        new("""{"command":""}""", 4, "CNI_COMMAND is ''"),
        new("""{"version":2}""", 1, "the plugin speaks version 2"),
    ];

    [TestCaseSource(nameof(Refused))]
    public async Task Bad_input_gets_the_specifications_code_and_says_what_is_wrong(string change, int code, string message)
    {
        var request = JsonNode.Parse(JsonSerializer.Serialize(_bench.Request("ADD"), TopologyJson.Default.CniRequest))!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        var reply = JsonSerializer.Deserialize(await _bench.SendAsync(request.ToJsonString()), TopologyJson.Default.CniReply)!;
        Assert.That(reply.ExitCode, Is.EqualTo(1));
        Assert.That(CodeOf(reply), Is.EqualTo(code), reply.Output);
        Assert.That(JsonDocument.Parse(reply.Output).RootElement.GetProperty("msg").GetString(), Does.Contain(message));
        Assert.That(_bench.Service.Leases, Is.Empty);
        Assert.That(_bench.Network.Attachments, Is.Empty);
    }

    [Test]
    public async Task Commands_for_one_container_wait_for_each_other()
    {
        var steps = new ConcurrentQueue<string>();
        var gate = new TaskCompletionSource();
        _bench.Network.OnAttach = async (_, _) =>
        {
            steps.Enqueue("ADD begins");
            await gate.Task;
            steps.Enqueue("ADD ends");
        };
        _bench.Network.OnDetach = () =>
        {
            steps.Enqueue("DEL");
            return Task.CompletedTask;
        };
        var add = _bench.CallAsync("ADD");
        await Eventually.True("ADD reaches the switch", () => !steps.IsEmpty);
        var removal = _bench.CallAsync("DEL");

        // A call that came later and is answered: the DEL before it had its chance, too.
        Assert.That((await _bench.CallAsync("DEL", container: "c2")).ExitCode, Is.Zero);
        gate.SetResult();
        Assert.That((await add).ExitCode, Is.Zero);
        Assert.That((await removal).ExitCode, Is.Zero);
        Assert.That(steps, Is.EqualTo(new[] { "ADD begins", "DEL", "ADD ends", "DEL" }), "the first DEL is the other container's");
        Assert.That(_bench.Service.Leases, Is.Empty);
        Assert.That(_bench.Network.Attachments, Is.Empty);
    }

    private static int CodeOf(CniReply reply) => JsonDocument.Parse(reply.Output).RootElement.GetProperty("code").GetInt32();

    private async Task<string> AddAsync(string version)
    {
        var reply = await _bench.CallAsync("ADD", config: CniBench.Config(version));
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        return reply.Output;
    }

    private Task<CniReply> CheckAsync(string version, string previous) =>
        _bench.CallAsync("CHECK", config: CniBench.Config(version, $",\"prevResult\":{previous}"));
}
