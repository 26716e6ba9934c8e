using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using System.Text.Json;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Tests.Facts;
using Weft.Agent.Tests.Host;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Faults;

/// <summary>What can be wrong with a node itself and with what it is told (docs/design/node.md): it is named, the rest goes on, and it ends with its cause.</summary>
public sealed class NodeFaultTests
{
    private static readonly LogicalSwitch Pods = new() { Id = "node1", NetworkKey = 1, Node = "node1", Subnets = [new("10.244.1.0/24", "10.244.1.1"), new("fd00:10:244:1::/64", "fd00:10:244:1::1")] };
    private readonly JumpingClock _clock = new();
    private AgentBench _node = null!;
    private TestNamespace _pod = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _pod = await TestNamespace.CreateAsync();
        _node = await AgentBench.StartAsync(PlanCases.TwoPods(Pods, PlanCases.Logical("c")), bench =>
        {
            bench.Time = _clock;
            return ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "weft-test", bench.StateDir]);
        });
        await _node.Cni.StartAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task StopAsync()
    {
        var state = _node.StateDir;
        await _node.StopAgentAsync();
        await ChildProcess.RunAsync("umount", [state]);
        await _node.DisposeAsync();
        await _pod.DisposeAsync();
    }

    [Test]
    public void An_agent_that_has_not_compared_yet_does_not_say_that_all_is_well()
    {
        var state = _node.Loop.Published;
        Assert.That(_node.ProblemsOf(state), Is.Empty);
        Assert.That(_node.ProblemsOf(state with { RowsKnown = false }).Single(), Has.Property("Reason").EqualTo("NotComparedYet").And.Property("Message").Contains("is ovsdb-server running"));
        Assert.That(_node.ProblemsOf(state with { Facts = state.Facts with { Slice = Slice.Empty } }).Single().Message, Does.Contain("the controller has not told"));
    }

    [Test]
    public async Task A_full_disk_is_named_running_pods_go_on_and_pods_start_when_there_is_space()
    {
        var filler = Path.Combine(_node.StateDir, "filler");
        await ChildProcess.RunAsync("sh", ["-c", $"cat /dev/zero > {filler} 2>/dev/null; true"]);
        CniReply? reply = null;
        for (var i = 0; i < 50 && reply is null or { ExitCode: 0 }; i++)
        {
            // The last page of the journal has space for some.
            await _node.CallAsync("DEL", "c-c", "c", _pod.Path);
            reply = await AddAsync();
        }

        Assert.That((CodeOf(reply!), reply!.Output), Is.EqualTo((11, reply.Output)));
        Assert.That(reply.Output, Does.Contain("No space left").And.Contain("free space"));
        Assert.That((await _node.ProblemAsync("StateNotSaved", "leases cannot be written")).Message, Does.Contain("free space in stateDir"));
        Assert.That(_node.Slices.TrySave(_node.Loop.Published.Facts.Slice), Is.False);
        await _node.ProblemAsync("StateNotSaved", "the node state cannot be saved");

        // The rest goes on: what the controller says next is in the switch, and no trace of the pod that could not start.
        await ServiceAsync(81);
        Assert.That(await _node.DifferencesAsync(), Is.Empty);

        File.Delete(filler);
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
        Assert.That(_node.Slices.TrySave(_node.Loop.Published.Facts.Slice), Is.True);
        Assert.That(_node.Problems, Is.Empty);
    }

    [Test]
    public async Task A_port_that_the_switch_cannot_open_is_named_and_the_others_work()
    {
        await _node.Database.VsctlAsync(true, "set", "interface", "w000000000a", "type=nonsense");
        var problem = await _node.ProblemAsync("PortFailed", "could not");
        Assert.That(problem.Subject, Is.EqualTo("pod default/a"));
        Assert.That(await _node.Pods.CheckAsync("c-a", "eth0", CancellationToken.None), Does.Contain("w000000000a"), "CHECK says it, too");
        Assert.That(await _node.Pods.CheckAsync("c-b", "eth0", CancellationToken.None), Is.Null);
        await ServiceAsync(81);
        Assert.That((await AddAsync()).ExitCode, Is.Zero, "another pod starts meanwhile");
        await _node.Database.VsctlAsync(true, "set", "interface", "w000000000a", "type=\"\"");
        await NoProblemsAsync("the port works again");
    }

    [Test]
    public async Task A_name_of_ours_on_another_bridge_is_named_and_used_when_it_is_free()
    {
        await _node.Database.VsctlAsync(true, "del-port", "br-int", "weft-tun0", "--", "add-br", "br-other", "--", "add-port", "br-other", "weft-tun0");
        var problem = await _node.ProblemAsync("PortsNotInLine", "port weft-tun0 is on bridge br-other: remove it there (ovs-vsctl del-port br-other weft-tun0)");
        Assert.That(problem.Subject, Is.EqualTo("bridge br-int"));
        await ServiceAsync(81);
        await _node.Database.VsctlAsync(true, "del-port", "br-other", "weft-tun0");
        await NoProblemsAsync("the name is free");
        Assert.That(await _node.Database.VsctlAsync(false, "port-to-br", "weft-tun0"), Is.EqualTo("br-int\n"));
    }

    [Test]
    public async Task A_pods_interface_name_on_another_bridge_is_refused_by_name()
    {
        var name = PodInterface.HostNameOf("c-c", "eth0");
        await _node.Database.VsctlAsync(true, "add-br", "br-other", "--", "add-port", "br-other", name);
        await Eventually.True("ADD refused because of br-other", async () =>
            await AddAsync() is var reply && CodeOf(reply) == 11 && reply.Output.Contains($"port {name} is on bridge br-other", StringComparison.Ordinal));
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"), "undone");
        await _node.Database.VsctlAsync(true, "del-br", "br-other");
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
    }

    [Test]
    public async Task A_copied_row_takes_nothing_from_the_pod_that_it_describes()
    {
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
        var name = PodInterface.HostNameOf("c-c", "eth0");
        var number = _node.Loop.Published.Facts.Ports["c-c/eth0"].OfPort;
        var ids = (await _node.Database.VsctlAsync(false, "get", "interface", name, "external_ids")).Trim();
        await _node.Database.VsctlAsync(true, "add-port", "br-int", "copy", "--", "set", "interface", "copy", $"external_ids={ids}");
        await ServiceAsync(81);
        await _node.StopAgentAsync();
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync("a restart that finds the copy");
        Assert.That(_node.Loop.Published.Facts.Ports["c-c/eth0"].OfPort, Is.EqualTo(number));
        await _node.Cni.StartAsync(CancellationToken.None);
        Assert.That((await AddAsync()).ExitCode, Is.Zero, "the pod's own port is there");
    }

    [Test]
    public async Task A_namespace_that_is_gone_is_named_and_the_pod_starts_in_its_next_one()
    {
        var reply = await _node.CallAsync("ADD", "c-c", "c", "/run/netns/gone");
        Assert.That(reply.Output, Does.Contain("/run/netns/gone"));
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"), "undone");
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
        await _pod.DisposeAsync();
        Assert.That((await _node.CallAsync("CHECK", "c-c", "c", _pod.Path)).ExitCode, Is.Not.Zero);
        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"));
        await NoProblemsAsync("the pod is gone");
    }

    [TestCase(400)]
    [TestCase(-400)]
    public async Task A_clock_that_jumps_disturbs_nothing(int days)
    {
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
        _clock.Jump(TimeSpan.FromDays(days));
        await ServiceAsync(81);
        Assert.That((await AddAsync()).ExitCode, Is.Zero, "asked again, answered again");
        Assert.That((await _node.CallAsync("DEL", "c-c", "c", _pod.Path)).ExitCode, Is.Zero);
        Assert.That((await AddAsync()).ExitCode, Is.Zero);
        Assert.That((_node.Flows.Connections, _node.Problems.Count), Is.EqualTo((1, 0)));
        Assert.That(await _node.DifferencesAsync(), Is.Empty);
    }

    [Test]
    public async Task A_controller_that_sends_nonsense_is_named_what_is_known_stays_and_sense_is_taken_again()
    {
        var items = _node.Loop.Published.Facts.Slice.Items.Values.ToList();
        var next = new SemaphoreSlim(0);
        await using var controller = await FakeController.StartAsync(async (connection, write) =>
        {
            if (connection == 2)
            {
                // Asked for a snapshot again, it says one with objects that make no sense and one that does.
                await SnapshotAsync(write, [.. items, Service(82), new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }, new NodeEndpoint { Id = "node9", Addresses = ["10.9.9.9"], PodCidrs = ["10.244.9.0/24"] },
                    new Policy { Id = "NetworkPolicy/default/odd", Key = 9, AppliedTo = "pods", IsolatesIngress = true, Rules = [new PolicyRule { AnyPeer = true, Ports = [new PortRange(Protocol.Tcp, 70000, 70001)] }] },
                    new PortSet { Id = "pods", Ports = ["default/a"] }]);
                await next.WaitAsync();
                await write(JsonSerializer.Serialize<Frame>(new Delta(8) { Deletes = [new ItemRef(ItemKind.Policy, "NetworkPolicy/default/odd")] }, TopologyJson.Default.Frame));
                return;
            }

            await SnapshotAsync(write, items);
            await next.WaitAsync();
            await write("""{"frame":"delta","revision":"seven","upserts":[{"kind":"nodeEndpoint","id":null}]}""");
        });
        var flows = await FlowsAsync();
        await _node.StopAgentAsync();
        _node.Controllers = [controller.Url];
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync("the restart");
        var seen = new List<NodeProblem>();
        _node.Loop.Changed += _ => seen.AddRange(_node.Problems);
        _node.FollowControllers();
        await Eventually.True("the controller connected", () => _node.Controller.Connected is not null);
        Assert.That(await FlowsAsync(), Is.EqualTo(flows));

        next.Release();
        await Eventually.True("the nonsense named", () => _node.Controller.LastFailure.Contains("sent what makes no sense", StringComparison.Ordinal));
        var problem = await _node.ProblemAsync(AgentState.NotPlanned, "");
        Assert.That((problem.Subject, problem.Message), Is.EqualTo(("policy NetworkPolicy/default/odd", problem.Message)));
        await Eventually.True("the Service beside it", async () => (await FlowsAsync()).Contains("tp_dst=82", StringComparison.Ordinal));
        Assert.That(await FlowsAsync(), Does.Contain("10.244.9.0/24"), "the node beside it");

        // What the policy was to let in, nobody knows: its pod is closed, not open.
        Assert.That(await _node.Loop.AskAsync(p => p.Flows.All.Count(f => Cookies.FeatureOf(f.Value.Cookie) == FlowFeature.Isolation), CancellationToken.None), Is.EqualTo(1));
        next.Release();
        await NoProblemsAsync("the policy is gone");
        await _node.Cni.StartAsync(CancellationToken.None);

        static async Task SnapshotAsync(Func<string, Task> write, IEnumerable<TopologyItem> items)
        {
            Frame[] frames = [new SnapshotBegin("other", 7), .. items.Select(i => new SnapshotItem(i)), new SnapshotEnd("other", 7)];
            foreach (var frame in frames)
            {
                await write(JsonSerializer.Serialize(frame, TopologyJson.Default.Frame));
            }
        }
    }

    private static LoadBalancer Service(int port) => new() { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = port, ClusterIp = "10.96.0.7", Endpoints = "web" };

    private static int CodeOf(CniReply reply) => reply.ExitCode == 0 ? 0 : JsonDocument.Parse(reply.Output).RootElement.GetProperty("code").GetInt32();

    private Task<CniReply> AddAsync() => _node.CallAsync("ADD", "c-c", "c", _pod.Path);

    /// <summary>A change of the controller's goes through to the switch.</summary>
    private async Task ServiceAsync(int port)
    {
        _node.Loop.Post(_node.Change(Service(port), new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }));
        await Eventually.True($"a Service on port {port}", async () => (await FlowsAsync()).Contains($"tp_dst={port}", StringComparison.Ordinal));
    }

    private Task<string> FlowsAsync() => _node.Switch.OfctlAsync("--no-stats", "--sort", "dump-flows", "br-int");

    private Task NoProblemsAsync(string after) => Eventually.True($"no problem after {after}", () => _node.Loop.Published.Synced && _node.Problems.Count == 0, TimeSpan.FromSeconds(20))
        .ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"still wrong after {after}: {string.Join("; ", _node.Problems)}") : t, TaskScheduler.Default);

    /// <summary>Tells the time of day as told; its timers and time stamps go on as the machine's.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private TimeSpan _offset;

        public void Jump(TimeSpan by) => _offset += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _offset;
    }
}
