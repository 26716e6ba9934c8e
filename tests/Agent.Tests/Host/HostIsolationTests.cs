using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Host.Netlink;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Host;

/// <summary>Real packets of real processes in cgroups of their own: a node, behind it a pod with two aliases.</summary>
public sealed class HostIsolationTests
{
    private const string Serve = """
        import socket,threading
        def tcp():
            s=socket.socket(socket.AF_INET6,socket.SOCK_STREAM); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.setsockopt(41,26,0); s.bind(('::',80)); s.listen(64); print('ready',flush=True)
            while True: c,_=s.accept(); c.sendall(b'x'); c.close()
        def udp(f,a):
            s=socket.socket(f,socket.SOCK_DGRAM); s.bind((a,80)); print('ready',flush=True)
            while True: d,p=s.recvfrom(64); s.sendto(d,p)
        for t,a in ((tcp,()),(udp,(socket.AF_INET,'10.9.0.2')),(udp,(socket.AF_INET6,'fd00:9::2'))): threading.Thread(target=t,args=a).start()
        """;

    private const string Ask = """
        import socket
        for f,a in ((socket.AF_INET,'10.9.0.2'),(socket.AF_INET6,'fd00:9::2')):
            for kind in (socket.SOCK_STREAM,socket.SOCK_DGRAM):
                try:
                    s=socket.socket(f,kind); s.settimeout(5); s.connect((a,80))
                    if kind==socket.SOCK_DGRAM: s.send(b'x')
                    print('reached' if s.recv(1)==b'x' else 'cut',end=' ')
                except TimeoutError: print('silent',end=' ')
                except OSError as e: print('refused',end=' ')
        """;

    private const string Reached = "reached reached reached reached";
    private const string Refused = "refused refused refused refused";
    private static readonly string[] Aliases = ["10.9.0.2", "fd00:9::2"];

    private readonly List<HostIsolation> _agents = [];
    private TestCgroups _cgroups = null!;
    private TestNamespace _node = null!;
    private TestNamespace _pod = null!;
    private ChildProcess _server = null!;
    private string _state = "";

    [SetUp]
    public async Task SetUp()
    {
        _cgroups = await TestCgroups.CreateAsync();
        _cgroups.Make("kubelet");
        _cgroups.Make("pods");
        _state = Directory.CreateTempSubdirectory("weft-isolation").FullName;
        (_node, _pod) = (await TestNamespace.CreateAsync(), await TestNamespace.CreateAsync());
        await _node.IpAsync($"link add gw0 type veth peer name eth0 netns {_pod.Name}");
        foreach (var (netns, link, host) in new[] { (_node, "gw0", 1), (_pod, "eth0", 2) })
        {
            await netns.IpAsync($"addr add 10.9.0.{host}/24 dev {link}");
            await netns.IpAsync($"addr add fd00:9::{host}/64 dev {link} nodad");
            await netns.IpAsync($"link set {link} up");
        }

        _server = ChildProcess.Start("nsenter", [$"--net={_pod.Path}", "--", "python3", "-c", Serve]);
        await Eventually.True("the pod serves", () => _server.Output.Split("ready").Length == 4);
    }

    [TearDown]
    public async Task TearDown()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
        }

        _agents.Clear();
        if (_server is not null)
        {
            await _server.DisposeAsync();
            await _node.DisposeAsync();
            await _pod.DisposeAsync();
        }

        Directory.Delete(_state, recursive: true);
        await _cgroups.DisposeAsync();
    }

    [Test]
    public async Task The_kubelet_reaches_tenant_pods_and_no_other_process_does_by_TCP_UDP_or_ICMP()
    {
        var agent = await StartAsync();
        Assert.That(agent.Problem, Is.Null);
        Assert.That(await AskAsync("kubelet"), Is.EqualTo(Reached));
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused));
        foreach (var alias in Aliases)
        {
            Assert.That(await PingsAsync("kubelet", alias), Is.True, alias);
            Assert.That(await PingsAsync("pods", alias), Is.False, alias);
        }
    }

    [Test]
    public async Task What_the_pod_itself_asks_of_the_host_is_answered()
    {
        await StartAsync();
        await using var host = ChildProcess.Start("sh", _cgroups.Inside("pods", _node, "python3", "-c", Serve.Replace("10.9.0.2", "10.9.0.1", StringComparison.Ordinal).Replace("fd00:9::2", "fd00:9::1", StringComparison.Ordinal))[1..]);
        await Eventually.True("the host serves", () => host.Output.Split("ready").Length == 4);
        var ask = Ask.Replace("10.9.0.2", "10.9.0.1", StringComparison.Ordinal).Replace("fd00:9::2", "fd00:9::1", StringComparison.Ordinal);
        Assert.That((await ChildProcess.RunAsync("nsenter", [$"--net={_pod.Path}", "--", "python3", "-c", ask])).Trim(), Is.EqualTo(Reached));
        Assert.That(await ChildProcess.RunAsync("nsenter", [$"--net={_pod.Path}", "--", "ping", "-c1", "-W2", "10.9.0.1"]), Does.Contain("1 received"));
    }

    [Test]
    public async Task A_kubelet_that_restarts_in_a_new_cgroup_is_let_through_at_once_and_others_are_not()
    {
        // By the event, not by a look.
        await StartAsync(s => s with { LookAfter = TimeSpan.FromMinutes(5) });
        Assert.That(await AskAsync("kubelet"), Is.EqualTo(Reached));
        var old = Id("kubelet");
        await _cgroups.RenewAsync("kubelet");
        Assert.That(Id("kubelet"), Is.Not.EqualTo(old), "the new cgroup has an id of its own");
        var begun = Stopwatch.GetTimestamp();
        await Eventually.True("the new kubelet reaches the pod", async () => await AskAsync("kubelet") == Reached, TimeSpan.FromSeconds(20));
        TestContext.Out.WriteLine($"again after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms, one try included");
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused));
    }

    [Test]
    public async Task The_rules_hold_while_no_agent_runs_and_while_the_next_one_starts()
    {
        var first = await StartAsync();
        await first.DisposeAsync();
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Reached)));

        using var stop = new CancellationTokenSource();
        var trying = Task.Run(async () =>
        {
            var seen = new HashSet<string>();
            do
            {
                seen.Add(await AskAsync("pods"));
                seen.Add("kubelet " + await AskAsync("kubelet"));
            }
            while (!stop.IsCancellationRequested);
            return seen;
        });
        for (var i = 0; i < 5; i++)
        {
            await (await StartAsync()).DisposeAsync();
        }

        await stop.CancelAsync();
        Assert.That(await trying, Is.EquivalentTo(new[] { Refused, "kubelet " + Reached }));
    }

    [Test]
    public async Task An_agent_that_starts_without_the_pod_or_with_other_wishes_frees_the_alias()
    {
        await (await StartAsync()).DisposeAsync();
        await StartAsync(aliases: []);
        Assert.That(await AskAsync("pods"), Is.EqualTo(Reached), "an address that another pod may have now");

        await (await StartAsync()).DisposeAsync();
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused));
        var any = await StartAsync(s => s with { Access = HostAccess.Any });
        Assert.That((await AskAsync("pods"), any.Problem), Is.EqualTo((Reached, (string?)null)), "said by nobody: it is as wanted");
    }

    [Test]
    public async Task Pods_come_and_go_one_by_one_and_the_rest_of_the_rules_stays()
    {
        var agent = await StartAsync(aliases: ["10.9.0.77"]);
        Assert.That(await AskAsync("pods"), Is.EqualTo(Reached));
        agent.Add(Aliases);
        await agent.ApplyAsync(CancellationToken.None);
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused));
        agent.Remove(Aliases);
        agent.Remove(Aliases);
        await agent.ForgetAsync(CancellationToken.None);
        Assert.That((await AskAsync("pods"), agent.Problem), Is.EqualTo((Reached, (string?)null)));

        agent.Add(Aliases);
        agent.Remove(Aliases);
        agent.Add(Aliases);
        await agent.ApplyAsync(CancellationToken.None);
        await agent.ForgetAsync(CancellationToken.None);
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused), "went and came again");
    }

    [Test]
    public async Task Five_hundred_pods_cost_as_much_for_the_last_as_for_the_first()
    {
        var agent = await StartAsync();
        async Task<TimeSpan> AddAsync(IEnumerable<int> numbers)
        {
            var begun = Stopwatch.GetTimestamp();
            foreach (var i in numbers)
            {
                agent.Add([$"10.8.{i / 250}.{1 + (i % 250)}", $"fd00:8::{i + 1:x}"]);
                await agent.ApplyAsync(CancellationToken.None);
            }

            return Stopwatch.GetElapsedTime(begun);
        }

        var (_, first, _, last) = (await AddAsync(Enumerable.Range(0, 20)), await AddAsync(Enumerable.Range(20, 50)), await AddAsync(Enumerable.Range(70, 380)), await AddAsync(Enumerable.Range(450, 50)));
        TestContext.Out.WriteLine($"a pod of the first 50: {first.TotalMilliseconds / 50:0.000} ms, of the last 50: {last.TotalMilliseconds / 50:0.000} ms");
        Assert.That(last / 50, Is.LessThan(TimeSpan.FromMilliseconds(5)), "no process is started for a pod");
        Assert.That((await ListAsync()).Split("10.8.").Length - 1, Is.EqualTo(500));
    }

    [Test]
    public async Task Its_own_changes_are_told_from_those_of_other_tables()
    {
        var agent = await StartAsync();
        var seen = new ConcurrentQueue<bool>();
        using var watcher = NetlinkWatcher.OfNftables(_node.Path, changes => seen.Enqueue(IsolationText.TellsOfItOnly(changes)));
        agent.Add(["10.9.0.78", "fd00:9::78"]);
        await agent.ApplyAsync(CancellationToken.None);
        agent.Remove(["10.9.0.78", "fd00:9::78"]);
        await agent.ForgetAsync(CancellationToken.None);
        await Eventually.True("four events", () => seen.Count >= 4);
        Assert.That(seen, Is.All.True, "nothing else is compared for them");
        await ChildProcess.RunAsync("nsenter", [$"--net={_node.Path}", "--", "nft", "add", "table", "inet", "weft"]);
        await Eventually.True("an event of another table", () => seen.Contains(false));
    }

    [Test]
    public async Task Rules_that_somebody_removes_come_back()
    {
        var agent = await StartAsync(s => s with { LookAfter = TimeSpan.FromMinutes(5) });
        await ChildProcess.RunAsync("nsenter", [$"--net={_node.Path}", "--", "nft", "flush", "ruleset"]);
        await Eventually.True("closed again", async () => await AskAsync("pods") == Refused, TimeSpan.FromSeconds(10));
        Assert.That(await AskAsync("kubelet"), Is.EqualTo(Reached));

        await ChildProcess.RunAsync("nsenter", [$"--net={_node.Path}", "--", "nft", "delete", "table", "inet", IsolationText.Table]);
        agent.Add(["10.9.0.78"]);
        await agent.ApplyAsync(CancellationToken.None);
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Reached)), "found at once by a pod that comes");
    }

    [Test]
    public async Task Nobody_is_let_through_when_nobody_is_to_be()
    {
        var agent = await StartAsync(s => s with { Access = HostAccess.None, CgroupFolder = "/nowhere" });
        Assert.That(agent.Problem, Is.Null);
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Refused)));
    }

    [Test]
    public async Task What_the_host_forwards_does_not_reach_an_alias_either()
    {
        await using var behind = await TestNamespace.CreateAsync();
        await _node.IpAsync($"link add br0 type veth peer name eth0 netns {behind.Name}");
        foreach (var (netns, link, host) in new[] { (_node, "br0", 1), (behind, "eth0", 2) })
        {
            await netns.IpAsync($"addr add 10.7.0.{host}/24 dev {link}");
            await netns.IpAsync($"link set {link} up");
        }

        await behind.IpAsync("route add default via 10.7.0.1");
        await _node.RunAsync("sysctl -qw net.ipv4.ip_forward=1");
        await _pod.IpAsync("route add default via 10.9.0.1");
        Task<string> PingAsync(TestNamespace from, string to) => ChildProcess.RunAsync("sh", ["-c", $"nsenter --net={from.Path} ping -c1 -W1 {to}; true"]);
        Assert.That(await PingAsync(behind, "10.9.0.2"), Does.Contain("1 received"));
        await StartAsync();
        Assert.That(await PingAsync(behind, "10.9.0.2"), Does.Contain("0 received").And.Contain("filtered"));
        Assert.That(await PingAsync(_pod, "10.7.0.2"), Does.Contain("1 received"), "answers to what the pod asks");
    }

    [Test]
    public async Task A_kubelet_that_cannot_be_told_is_not_shut_out_and_it_is_said()
    {
        _cgroups.Make("shared");
        _cgroups.Make("shared/kubepods.slice");
        var empty = Path.Combine(_state, "proc");
        FakeProc(empty);
        (string What, Func<HostIsolationSettings, HostIsolationSettings> With, string Says)[] cases =
        [
            ("no such cgroup", s => s with { KubeletCgroup = "nowhere/kubelet.service" }, "the node has no cgroup /nowhere/kubelet.service; set tenants.kubeletCgroup"),
            ("the root", s => s with { KubeletCgroup = "/" }, "root cgroup"),
            ("with pods", s => s with { KubeletCgroup = $"{_cgroups.Path}/shared" }, "has pods in it"),
            ("no cgroup v2", s => s with { CgroupFolder = _state }, $"there is no cgroup v2 at {_state}"),
            ("no process", s => s with { KubeletCgroup = "", Proc = empty }, $"no process of the node is named kubelet in {empty}"),
            ("no namespace", s => s with { Proc = _state }, $"{_state}/1/ns/cgroup cannot be opened (ENOENT); the agent needs the host's /proc"),
        ];
        foreach (var (what, with, says) in cases)
        {
            var agent = await StartAsync(with);
            Assert.That(agent.Problem, Does.StartWith("processes of the host network reach this node's tenant pods: ").And.Contain(says), what);
            Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Reached, Reached)), what);
            await agent.DisposeAsync();
        }
    }

    [Test]
    public async Task A_kernel_that_does_not_find_processes_where_they_are_shuts_nobody_out()
    {
        // A part of the hierarchy, as a container sees it: what is called kubelet there is another cgroup.
        _cgroups.Make("part");
        var agent = await StartAsync(s => s with { CgroupFolder = "/proc/self/root" + _cgroups.Folder, KubeletCgroup = "kubelet" });
        Assert.That(agent.Problem, Does.Contain("the kernel does not find this process in its own cgroup"));
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Reached, Reached)));
    }

    [Test]
    public async Task A_table_that_nft_refuses_is_said_and_replaced_and_so_is_a_check_that_cannot_be_made()
    {
        await ChildProcess.RunAsync("nsenter", [$"--net={_node.Path}", "--", "nft", $"add table inet {IsolationText.Table}; add set inet {IsolationText.Table} kubelet {{ type ipv4_addr; }}"]);
        var agent = await StartAsync();
        Assert.That(agent.Problem, Does.Contain($"nft refused the table {IsolationText.Table}").And.Contain("the kernel needs nft_socket"));
        await Eventually.True("closed", () => agent.Problem is null, TimeSpan.FromSeconds(15));
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Reached)));

        await _node.IpAsync("addr del 127.0.0.1/8 dev lo");
        await Eventually.True("what cannot be verified is not in force", () => agent.Problem?.Contains("bring the node's loopback interface up", StringComparison.Ordinal) == true, TimeSpan.FromSeconds(15));
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Reached, Reached)));
        await _node.IpAsync("addr add 127.0.0.1/8 dev lo");
        await Eventually.True("closed again", () => agent.Problem is null, TimeSpan.FromSeconds(15));
    }

    [Test]
    public async Task It_closes_by_itself_when_what_was_missing_is_there()
    {
        var agent = await StartAsync(s => s with { KubeletCgroup = $"{_cgroups.Path}/later" });
        Assert.That(agent.Problem, Is.Not.Null);
        _cgroups.Make("later");
        await Eventually.True("closed", () => agent.Problem is null, TimeSpan.FromSeconds(15));
        Assert.That((await AskAsync("pods"), await AskAsync("later")), Is.EqualTo((Refused, Reached)));
    }

    [Test]
    public async Task The_kubelet_is_found_by_its_name_and_no_container_can_take_its_place()
    {
        var proc = Path.Combine(_state, "proc");
        FakeProc(proc);
        FakeProcess(proc, 100, "systemd", "/init.scope");
        FakeProcess(proc, 200, "kubelet", "/kubepods.slice/pod1/a", "200");
        FakeProcess(proc, 201, "kubelet", $"/{_cgroups.Path}/pods", "201\t7");
        FakeProcess(proc, 202, "kubelet", $"/{_cgroups.Path}/kubelet", "202");
        await (await StartAsync(s => s with { KubeletCgroup = "", Proc = proc })).DisposeAsync();
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Reached)));

        // In the host's process namespace, and outside of the pods' cgroups.
        FakeProcess(proc, 300, "kubelet", $"/{_cgroups.Path}/pods", "300");
        var agent = await StartAsync(s => s with { KubeletCgroup = "", Proc = proc });
        Assert.That(agent.Problem, Is.Null, "the one that it was stays");
        Assert.That((await AskAsync("pods"), await AskAsync("kubelet")), Is.EqualTo((Refused, Reached)));
        await agent.DisposeAsync();

        File.Delete(Path.Combine(_state, "kubelet-cgroup"));
        var stranger = await StartAsync(s => s with { KubeletCgroup = "", Proc = proc });
        Assert.That(stranger.Problem, Does.Contain($"several processes are named kubelet, in /{_cgroups.Path}/kubelet and /{_cgroups.Path}/pods"));
        await stranger.DisposeAsync();
    }

    [Test]
    public async Task An_agent_that_starts_while_the_kubelet_is_down_keeps_the_pods_closed()
    {
        var proc = Path.Combine(_state, "proc");
        FakeProc(proc);
        FakeProcess(proc, 202, "kubelet", $"/{_cgroups.Path}/kubelet");
        await (await StartAsync(s => s with { KubeletCgroup = "", Proc = proc })).DisposeAsync();
        Directory.Delete(Path.Combine(proc, "202"), recursive: true);
        await TestCgroups.RemoveAsync(Path.Combine(_cgroups.Folder, "kubelet"));
        var agent = await StartAsync(s => s with { KubeletCgroup = "", Proc = proc });
        Assert.That((await AskAsync("pods"), agent.Problem), Is.EqualTo((Refused, (string?)null)));

        _cgroups.Make("kubelet");
        FakeProcess(proc, 203, "kubelet", $"/{_cgroups.Path}/kubelet");
        await Eventually.True("the kubelet is let through", async () => await AskAsync("kubelet") == Reached, TimeSpan.FromSeconds(15));

        // A service that an update of the system gave another name.
        _cgroups.Make("renamed");
        FakeProcess(proc, 203, "kubelet", $"/{_cgroups.Path}/renamed");
        await Eventually.True("the kubelet is found there", async () => await AskAsync("renamed") == Reached, TimeSpan.FromSeconds(15));
        Assert.That(await AskAsync("pods"), Is.EqualTo(Refused));
    }

    [Test]
    public async Task From_a_cgroup_namespace_of_its_own_it_loads_the_rules_from_the_hosts()
    {
        // The namespace that stands for the host's begins at the test's cgroup: paths and levels count from there.
        await using var host = ChildProcess.Start("sh", _cgroups.Inside("pods", _node, "sleep", "600")[1..]);
        var proc = Path.Combine(_state, "proc");
        var inside = new[] { "-c", """echo 0 > "$1/cgroup.procs" && exec unshare --cgroup sh -c 'echo there; exec sleep 600'""", "sh", _cgroups.Folder };
        await using var other = ChildProcess.Start("sh", inside);
        await Eventually.True("the namespace is there", () => other.Output.Contains("there", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(proc, "1/ns"));
        File.CreateSymbolicLink(Path.Combine(proc, "1/ns/cgroup"), $"/proc/{other.Id}/ns/cgroup");
        var tree = new CgroupTree(proc, _cgroups.Folder);
        Assert.That(tree.Visit(null, () => CgroupTree.Read($"/proc/{other.Id}/cgroup")), Is.EqualTo("/"));
        Assert.That(tree.Visit(null, () => CgroupTree.Read($"/proc/{host.Id}/cgroup")), Is.EqualTo("/pods"));
        Assert.That(new CgroupTree("", _cgroups.Root).Visit(null, () => CgroupTree.Read($"/proc/{host.Id}/cgroup")), Does.EndWith($"/{_cgroups.Path}/pods"), "other threads stay where they were");
    }

    private async Task<HostIsolation> StartAsync(Func<HostIsolationSettings, HostIsolationSettings>? with = null, IEnumerable<string>? aliases = null)
    {
        var settings = new HostIsolationSettings { KubeletCgroup = $"{_cgroups.Path}/kubelet", CgroupFolder = _cgroups.Root, StateDir = _state, LookAfter = TimeSpan.FromSeconds(1) };
        var agent = new HostIsolation(with?.Invoke(settings) ?? settings, TimeProvider.System, NullLogger<HostIsolation>.Instance, _node.Path);
        _agents.Add(agent);
        agent.Add(aliases ?? Aliases);
        await agent.ApplyAsync(CancellationToken.None);
        return agent;
    }

    private static void FakeProc(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "1/ns"));
        File.CreateSymbolicLink(Path.Combine(folder, "1/ns/cgroup"), "/proc/thread-self/ns/cgroup");
        File.WriteAllText(Path.Combine(folder, "1/comm"), "systemd\n");
    }

    private static void FakeProcess(string proc, int pid, string name, string cgroup, string ids = "1")
    {
        var folder = Directory.CreateDirectory(Path.Combine(proc, pid.ToString(CultureInfo.InvariantCulture))).FullName;
        File.WriteAllText(Path.Combine(folder, "comm"), name + "\n");
        File.WriteAllText(Path.Combine(folder, "status"), $"Name:\t{name}\nNSpid:\t{ids}\n");
        File.WriteAllText(Path.Combine(folder, "stat"), $"{pid} ({name}) S {string.Join(' ', Enumerable.Range(4, 40))}\n");
        File.WriteAllText(Path.Combine(folder, "cgroup"), $"1:cpu:/\n0::{cgroup}\n");
    }

    private ulong? Id(string name) => new CgroupTree("", _cgroups.Root).IdOf($"{_cgroups.Path}/{name}");

    private async Task<string> AskAsync(string cgroup)
    {
        var command = _cgroups.Inside(cgroup, _node, "python3", "-c", Ask);
        return (await ChildProcess.RunAsync(command[0], command[1..])).Trim();
    }

    private async Task<bool> PingsAsync(string cgroup, string alias)
    {
        var command = _cgroups.Inside(cgroup, _node, "sh", "-c", $"ping -c1 -W1 {alias}; true");
        return (await ChildProcess.RunAsync(command[0], command[1..])).Contains("1 received", StringComparison.Ordinal);
    }

    private Task<string> ListAsync() => ChildProcess.RunAsync("nsenter", [$"--net={_node.Path}", "--", "nft", "list", "table", "inet", IsolationText.Table]);
}
