using System.Buffers.Binary;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Faults;

/// <summary>Connections to the switch and its database that end, stall or lie still (docs/design/node.md). WEFT_TEST_FULL=1 cuts at many more bytes.</summary>
public sealed class ConnectionFaultTests
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";
    private AgentBench _node = null!;

    [SetUp]
    public async Task StartAsync() => _node = await AgentBench.StartAsync(
        PlanCases.TwoPods(
            new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web" },
            new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }),
        bench =>
        {
            bench.SwitchPatience = TimeSpan.FromSeconds(2);
            return Task.CompletedTask;
        });

    [TearDown]
    public async Task StopAsync() => await _node.DisposeAsync();

    [TestCase(true, TestName = "An_OpenFlow_connection_cut_at_any_byte_to_the_switch_ends_with_the_switch_as_planned")]
    [TestCase(false, TestName = "An_OpenFlow_connection_cut_at_any_byte_from_the_switch_ends_with_the_switch_as_planned")]
    public async Task An_OpenFlow_connection_cut_at_any_byte(bool sent)
    {
        var length = await ConversationAsync(_node.OpenFlowRelay, sent, EmptySwitchAsync);
        foreach (var cut in Cuts(length))
        {
            var seen = Watch(p => p.Reason == "SwitchNotInLine");
            _node.OpenFlowRelay.CutNextAfter(sent, cut);
            await EmptySwitchAsync();
            await Eventually.True($"the connection cut at byte {cut} of {length}", () => !_node.OpenFlowRelay.CutIsDue);
            await AsPlannedAsync($"the cut at byte {cut} of {length}");
            Assert.That(seen(), Is.True, "the agent said that the switch is not connected");
        }
    }

    [TestCase(true, TestName = "An_OVSDB_connection_cut_at_any_byte_to_the_server_ends_with_the_rows_as_planned")]
    [TestCase(false, TestName = "An_OVSDB_connection_cut_at_any_byte_from_the_server_ends_with_the_rows_as_planned")]
    public async Task An_OVSDB_connection_cut_at_any_byte(bool sent)
    {
        var length = await ConversationAsync(_node.OvsdbRelay, sent, RemoveTunnelAsync);
        foreach (var cut in Cuts(length))
        {
            _node.OvsdbRelay.CutNextAfter(sent, cut);
            await RemoveTunnelAsync();
            await Eventually.True($"the connection cut at byte {cut} of {length}", () => !_node.OvsdbRelay.CutIsDue);
            await AsPlannedAsync($"the cut at byte {cut} of {length}");
            var ports = (await _node.Database.VsctlAsync(false, "list-ports", "br-int")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(ports, Is.Unique.And.Length.EqualTo(4), "two pods, gateway and tunnel, each once");
        }
    }

    [Test]
    public async Task A_database_that_is_away_is_named_and_flows_follow_the_controller_all_the_same()
    {
        _node.OvsdbRelay.Sever();

        // What the rows depend on changes, and a Service.
        var settings = PlanCases.Settings with { Tunnel = TunnelType.Vxlan };
        _node.Loop.Post(_node.Change(settings, new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 81, ClusterIp = "10.96.0.7", Endpoints = "web" }));
        var problem = await _node.ProblemAsync("PortsNotInLine", "ovsdb-server does not answer");
        Assert.That(problem.Subject, Is.EqualTo("bridge br-int"));
        await Eventually.True("the Service's new port", async () => (await _node.Switch.OfctlAsync("dump-flows", "br-int")).Contains("tp_dst=81", StringComparison.Ordinal));
        Assert.That(await _node.Database.VsctlAsync(false, "get", "interface", "weft-tun0", "type"), Does.Contain("geneve"), "the rows are not reached");

        _node.OvsdbRelay.Refuses = false;
        await AsPlannedAsync("the database is back");
        Assert.That(await _node.Database.VsctlAsync(false, "get", "interface", "weft-tun0", "type"), Does.Contain("vxlan"));
    }

    [Test]
    public async Task A_bundle_commit_that_times_out_is_named_and_repeated()
    {
        var named = Watch(p => p is { Reason: "SwitchNotInLine", Subject: "bridge br-int" } && p.Message.Contains("has not confirmed a change in 2 s", StringComparison.Ordinal));
        var swallowed = 0;
        _node.OpenFlowRelay.OnPiece = (sent, piece) => sent || !IsCommitReply(piece.Span) || Interlocked.Increment(ref swallowed) > 1 ? RelayedPiece.Passed : RelayedPiece.Swallowed;
        await EmptySwitchAsync();
        await Eventually.True("the agent says that the switch does not confirm", named);
        Assert.That(swallowed, Is.Positive);
        await AsPlannedAsync("the confirmation that got lost");
        Assert.That(_node.Flows.Connections, Is.EqualTo(2), "all was read back on a new connection");
    }

    [Test]
    public async Task A_switch_that_stands_still_is_named_and_found_as_planned_when_it_goes_on()
    {
        var named = Watch(p => p.Reason == "SwitchNotInLine" && p.Message.Contains("has not confirmed", StringComparison.Ordinal));
        await ChildProcess.RunAsync("kill", ["-STOP", $"{_node.Switch.Process.Id}"]);
        try
        {
            _node.Loop.Post(_node.Change(new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 82, ClusterIp = "10.96.0.7", Endpoints = "web" }));
            await Eventually.True("the agent says that the switch does not confirm", named);
            await _node.ProblemAsync("SwitchNotInLine", "the switch is not connected");
        }
        finally
        {
            await ChildProcess.RunAsync("kill", ["-CONT", $"{_node.Switch.Process.Id}"]);
        }

        await AsPlannedAsync("the switch goes on");
        Assert.That(await _node.Switch.OfctlAsync("dump-flows", "br-int"), Does.Contain("tp_dst=82"));
    }

    [Test]
    public async Task A_switch_that_was_started_to_wait_for_its_flows_forwards_when_it_has_them()
    {
        await _node.Database.VsctlAsync(false, "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true");
        await _node.Switch.StopAsync();
        await _node.ProblemAsync("SwitchNotInLine", "the switch is not connected");
        await _node.Switch.StartAsync();
        await Eventually.True("flow-restore-wait removed", async () =>
            !(await _node.Database.VsctlAsync(false, "get", "Open_vSwitch", ".", "other_config")).Contains("flow-restore-wait", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        Assert.That(await _node.Switch.OfctlAsync("--names", "dump-flows", "br-int"), Does.Contain("table=Routing"), "the flows were there first");
        await AsPlannedAsync("the restart");
    }

    /// <summary>OFPT_EXPERIMENTER of the ONF with OFPBCT_COMMIT_REPLY (OpenFlow 1.3 bundle extension, EXT-230).</summary>
    private static bool IsCommitReply(ReadOnlySpan<byte> piece)
    {
        for (var at = 0; at + 8 <= piece.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(piece[(at + 2)..]);
            var message = piece[at..Math.Min(piece.Length, at + length)];
            if (message.Length >= 22 && message[1] == 4 && BinaryPrimitives.ReadUInt32BigEndian(message[8..]) == 0x4f4e4600
                && BinaryPrimitives.ReadUInt32BigEndian(message[12..]) == 2300 && BinaryPrimitives.ReadUInt16BigEndian(message[20..]) == 5)
            {
                return true;
            }

            at += Math.Max(length, (ushort)8);
        }

        return false;
    }

    /// <summary>How many bytes a conversation from connect to in sync has.</summary>
    private async Task<long> ConversationAsync(UnixRelay relay, bool sent, Func<Task> disturb)
    {
        relay.Refuses = true;
        relay.Cut();
        await disturb();
        relay.Refuses = false;
        await AsPlannedAsync("a conversation without a cut");
        return sent ? relay.Bytes.Sent : relay.Bytes.Received;
    }

    private static IEnumerable<long> Cuts(long length)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        TestContext.Out.WriteLine($"{length} bytes, seed {seed}");
        return [0, 1, length - 1, .. Enumerable.Range(0, Full ? 300 : 6).Select(_ => random.NextInt64(2, length - 1))];
    }

    private async Task EmptySwitchAsync()
    {
        await _node.Switch.OfctlAsync("-O", "OpenFlow13", "del-flows", "br-int");
        await _node.Switch.OfctlAsync("-O", "OpenFlow13", "del-groups", "br-int");
    }

    private Task RemoveTunnelAsync() => _node.Database.VsctlAsync(false, "--if-exists", "del-port", "br-int", "weft-tun0");

    private Task AsPlannedAsync(string after)
    {
        var differences = "";
        return Eventually.True($"the switch as planned after {after}", async () =>
                _node.Loop.Published.Synced && (differences = await _node.DifferencesAsync()).Length == 0, TimeSpan.FromSeconds(30))
            .ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}: {string.Join("; ", _node.Problems)}\n{differences}", t.Exception) : t, TaskScheduler.Default);
    }

    /// <summary>Tells later whether the agent ever reported such a problem.</summary>
    private Func<bool> Watch(Func<NodeProblem, bool> wanted)
    {
        var seen = false;
        _node.Loop.Changed += state => seen |= state.Problems.Any(wanted);
        return () => seen;
    }
}
