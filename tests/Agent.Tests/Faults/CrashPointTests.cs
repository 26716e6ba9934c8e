using System.Text.Json;
using Weft.Agent.Tests.Host;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.Faults;

/// <summary>
/// An agent that dies anywhere in ADD or DEL leaves some of what a pod has: its lease, its links, its rows, its flows, in every combination. The next
/// agent finishes or undoes it, whether the runtime asks for ADD again or for DEL (docs/design/node.md, "Interrupted steps").
/// </summary>
/// <param name="spares">Ports that the agent makes in advance: a pod gets one of them, with a name that only its lease and its row tell.</param>
[TestFixture(0)]
[TestFixture(3)]
public sealed class CrashPointTests(int spares)
{
    [Flags]
    public enum Parts
    {
        None = 0,
        Lease = 1,
        Link = 2,
        Rows = 4,
        Flows = 8,
    }

    private AgentBench _node = null!;
    private TestNamespace _pod = null!;
    private TestNamespace _inner = null!;
    private string _hostInterface = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _pod = await TestNamespace.CreateAsync();
        _inner = await TestNamespace.CreateAsync();
        _node = await AgentBench.StartAsync(PlanCases.TwoPods(
            new LogicalSwitch { Id = "node1", NetworkKey = 1, Node = "node1", Subnets = [new("10.244.1.0/24", "10.244.1.1"), new("fd00:10:244:1::/64", "fd00:10:244:1::1")] },
            PlanCases.Logical("c")), bench =>
            {
                (bench.SparePorts, bench.SparesPath) = (spares, _inner.Path);
                return Task.CompletedTask;
            });
        await ServeAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _node.DisposeAsync();
        await _pod.DisposeAsync();
        await _inner.DisposeAsync();
    }

    public static IEnumerable<Parts> Combinations => Enumerable.Range(0, 16).Select(i => (Parts)i);

    [TestCaseSource(nameof(Combinations))]
    public async Task An_add_that_a_crash_interrupted_is_completed_by_the_next(Parts left)
    {
        var first = await CallAsync("ADD");
        await CrashAsync(left);
        var second = await CallAsync("ADD");
        if (left.HasFlag(Parts.Rows) || left.HasFlag(Parts.Lease | Parts.Link))
        {
            Assert.That(second.Output, Is.EqualTo(first.Output), "what the switch or the pod still used is the pod's again");
        }

        Assert.That(await CallAsync("CHECK", $",\"prevResult\":{second.Output}"), Is.EqualTo(new CniReply()));
        Assert.That(await _node.DifferencesAsync(), Is.Empty, "as planned from nothing");
        Assert.That(await _node.Switch.OfctlAsync("dump-flows", "br-int"), Does.Contain($"nw_dst={AddressOf(second)}"));
        await GoneAsync();
    }

    [TestCaseSource(nameof(Combinations))]
    public async Task A_del_that_a_crash_interrupted_is_completed_by_the_next(Parts left)
    {
        await CallAsync("ADD");
        await CrashAsync(left);
        await GoneAsync();
    }

    /// <summary>The agent is gone, and of the pod only some parts are left; then there is an agent again.</summary>
    private async Task CrashAsync(Parts left)
    {
        await _node.StopAgentAsync();
        if (!left.HasFlag(Parts.Flows))
        {
            await _node.Switch.OfctlAsync("-O", "OpenFlow13", "del-flows", "br-int");
        }

        if (!left.HasFlag(Parts.Rows))
        {
            await _node.Database.VsctlAsync(true, "del-port", "br-int", _hostInterface);
        }

        if (!left.HasFlag(Parts.Link))
        {
            await _node.Node.IpAsync($"link del {_hostInterface}");
        }

        if (!left.HasFlag(Parts.Lease))
        {
            File.Delete(Path.Combine(_node.StateDir, "leases.journal"));
        }

        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync($"a crash that left {left}");
        await ServeAsync();
    }

    private async Task ServeAsync()
    {
        await _node.Cni.StartAsync(CancellationToken.None);
        await Eventually.True("ports made in advance", () => _node.Cni.SpareCount > spares / 2 || spares == 0);
    }

    private async Task GoneAsync()
    {
        await CallAsync("DEL");
        Assert.That(_node.Cni.Leases.Select(l => l.ContainerId), Does.Not.Contain("c-c"), "its lease");
        Assert.That(await _node.Database.VsctlAsync(false, "list-ports", "br-int"), Does.Not.Contain(_hostInterface), "its port");
        Assert.That(await _node.Node.IpAsync("-o link"), Does.Not.Contain(_hostInterface), "its link");
        Assert.That(await _node.DifferencesAsync(), Is.Empty, "its flows");
    }

    private async Task<CniReply> CallAsync(string command, string more = "")
    {
        var reply = await _node.CallAsync(command, "c-c", "c", _pod.Path, more);
        if (command == "ADD" && reply.ExitCode == 0)
        {
            await Eventually.True("the attachment published", () => _node.Loop.Published.Facts.Ports.ContainsKey("c-c/eth0"));
            _hostInterface = _node.Loop.Published.Facts.Ports["c-c/eth0"].Attachment.HostInterface;
        }

        return reply.ExitCode == 0 ? reply : throw new InvalidOperationException($"{command}: {reply.Output}");
    }

    private static string AddressOf(CniReply reply)
    {
        using var result = JsonDocument.Parse(reply.Output);
        return result.RootElement.GetProperty("ips")[0].GetProperty("address").GetString()!.Split('/')[0];
    }
}
