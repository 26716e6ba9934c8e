using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>A whole cluster on this machine, started and ended.</summary>
public sealed class LabCluster
{
    /// <summary>Where Weft's own objects are.</summary>
    public const string SystemNamespace = "weft-system";

    private const int FirstControllerPort = 7443;

    /// <summary>Where API server and controllers listen, in <see cref="LabLayout.ControlPlane"/> and from every node.</summary>
    public static string ControlPlaneAddress => Underlay.V4(Underlay.ControlPlaneHost);

    private readonly Lock _gate = new();
    private readonly LabPrograms _programs = new();
    private readonly Action<string> _progress;

    private LabCluster(LabOptions options, Action<string> progress)
    {
        Layout = new LabLayout(options.Name);
        State = new LabState { Options = options };
        _progress = progress;
    }

    /// <summary>Names and places.</summary>
    public LabLayout Layout { get; }

    /// <summary>An administrator's kubeconfig that works inside <see cref="LabLayout.ControlPlane"/>.</summary>
    public string Kubeconfig => State.Options.Kubeconfig ?? Layout.Kubeconfig;

    /// <summary>What was started.</summary>
    public LabState State { get; private set; }

    /// <summary>Starts a lab: nodes, API server, controller, agents, kubelets, manifests. What an earlier one of that name left is removed first.</summary>
    /// <param name="options">Valid options (<see cref="LabOptions.FindProblem"/>).</param>
    /// <param name="progress">Gets one line per step.</param>
    /// <param name="ct">Cancels; what was started then stays for <see cref="LabRemoval"/>.</param>
    /// <exception cref="LabException">A step failed; the message says which, and has the end of the log concerned.</exception>
    public static async Task<LabCluster> UpAsync(LabOptions options, Action<string> progress, CancellationToken ct)
    {
        if (options.FindProblem() is { } problem)
        {
            throw new LabException(problem);
        }

        var lab = new LabCluster(options, progress);
        Directory.CreateDirectory(LabLayout.Root);
        using var held = LabLock.Take(lab.Layout);
        await LabRemoval.RemoveAsync(lab.Layout, ct);
        Directory.CreateDirectory(lab.Layout.Folder);
        lab.State.Write(lab.Layout);
        await lab.StartAsync(ct);
        return lab;
    }

    /// <summary>A lab that is up.</summary>
    /// <exception cref="LabException">There is none of this name.</exception>
    public static LabCluster Open(string name)
    {
        var layout = new LabLayout(name);
        var state = LabState.Read(layout) ?? throw new LabException($"there is no lab '{name}': start one with scripts/lab up");
        return new LabCluster(state.Options, _ => { }) { State = state };
    }

    /// <summary>Client of the cluster's API with all rights; the caller disposes it.</summary>
    public ClusterApi ConnectApi() => ClusterAccess.Open(Layout, State.Options);

    /// <summary>Variables with which the ovs programs find a node's switch.</summary>
    public IReadOnlyDictionary<string, string> OvsEnvironment(string node) => NodeSwitch.Environment(Layout.OvsFolder(node));

    /// <summary>The pods of all namespaces.</summary>
    public async Task<IReadOnlyList<PodView>> PodsAsync(CancellationToken ct)
    {
        using var api = ConnectApi();
        return PodView.ReadList(await api.GetAsync("/api/v1/pods", ct));
    }

    /// <summary>Waits until every pod is ready or done, and returns those that are not after <paramref name="patience"/>.</summary>
    public async Task<IReadOnlyList<PodView>> WaitForPodsAsync(TimeSpan patience, CancellationToken ct)
    {
        using var api = ConnectApi();
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            var waiting = PodView.ReadList(await api.GetAsync("/api/v1/pods", ct))
                .Where(p => !p.Ready && p.Phase is not ("Succeeded" or "Failed")).ToList();
            if (waiting.Count == 0 || System.Diagnostics.Stopwatch.GetElapsedTime(begun) > patience)
            {
                return waiting;
            }

            await Task.Delay(50, ct);
        }
    }

    /// <summary>Waits until every node's agent has reported to the controller that it is in line, or the patience ends.</summary>
    public async Task WaitForReportsAsync(TimeSpan patience, CancellationToken ct)
    {
        if (State.Options.Kubeconfig is not null)
        {
            return;
        }

        using var api = ConnectApi();
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(begun) < patience)
        {
            var states = (await api.FindAsync("/apis/topology.weft.dev/v1alpha1/nodestates", ct))?["items"] as JsonArray ?? new JsonArray();
            if (states.Count == State.Options.Nodes && states.All(s => (long?)s!["status"]?["revision"] > 0 && s["status"]!["problems"] is not JsonArray { Count: > 0 }))
            {
                return;
            }

            await Task.Delay(100, ct);
        }
    }

    /// <summary>Ends one of the lab's processes; with <paramref name="force"/> at once, without a last word.</summary>
    public async Task StopAsync(string role, bool force, CancellationToken ct)
    {
        var process = State.Process(role);
        if (ProcessTable.Runs(process))
        {
            await ProcessTable.EndAsync([process.Pid], force ? TimeSpan.Zero : TimeSpan.FromSeconds(10), ct);
        }
    }

    /// <summary>Starts a process again that was stopped or died.</summary>
    public void StartAgain(string role) => Record(ProcessStarter.Start(Layout, State.Process(role)));

    private async Task StartAsync(CancellationToken ct)
    {
        var cni = await _programs.CniAsync(ct);
        await MakeCgroupsAsync(ct);
        var underlay = new Underlay(Layout, State.Options.UnderlayMtu, offload: State.Options.Datapath == "system");
        _progress("underlay");
        await underlay.CreateAsync(ct);

        // The API server and the nodes' switches do not need each other.
        _progress($"API server and {State.Options.Nodes} nodes with Open vSwitch");
        var switches = State.Nodes.Select((node, i) => new NodeSwitch(Layout, underlay, node, i + 1, State.Options.Datapath)).ToList();
        await Task.WhenAll([StartControlPlaneAsync(ct), .. switches.Select(s => s.CreateAsync(Record, ct))]);

        _progress("agents and kubelets");
        using var api = ConnectApi();
        Record(ProcessStarter.Start(Layout, "kubelets", netns: null, Log("kubelets"),
            Wrap(g => g.WrapKubelet, [.. _programs.Lab, "supervise", "--name", Layout.Name, "--cni", cni])));
        await Task.WhenAll(State.Nodes.Zip(switches, (node, ovs) => StartAgentAsync(api, node, ovs, ct)));
        await MeetAsync(ct);
        await Manifests.ApplyAsync(this, _programs, _progress, ct);
        lock (_gate)
        {
            State = State with { Complete = true };
            State.Write(Layout);
        }
    }

    private async Task MakeCgroupsAsync(CancellationToken ct)
    {
        try
        {
            var cgroups = await LabCgroups.CreateAsync(Layout, ct);
            lock (_gate)
            {
                State = State with { Cgroups = cgroups };
            }
        }
        catch (LabException e)
        {
            _progress($"no cgroups, so processes of the host network reach tenant pods: {e.Message}");
            lock (_gate)
            {
                State = State with { WhyNoCgroups = e.Message };
            }
        }
    }

    private IEnumerable<string> Wrap(Func<LabCgroups, Func<IEnumerable<string>, IEnumerable<string>>> how, string[] command) =>
        State.Cgroups is { } cgroups ? how(cgroups)(command) : command;

    /// <summary>Every node pings every other once.</summary>
    /// <remarks>Open vSwitch's own tunnels drop the first packet to a node whose MAC address they do not know yet; they learn it from the
    /// answers that pass br-phy.</remarks>
    private async Task MeetAsync(CancellationToken ct)
    {
        var pings =
            from a in State.Nodes.Index()
            from b in State.Nodes.Index()
            where a.Index != b.Index
            from address in (string[])[Underlay.V4(Underlay.NodeHost(b.Index + 1)), Underlay.V6(Underlay.NodeHost(b.Index + 1))]
            select (From: a.Item, To: address, Ping: new NetnsProbe(Layout.Node(a.Item)).PingAsync(System.Net.IPAddress.Parse(address), ct: ct));
        foreach (var ping in pings.ToList())
        {
            var result = await ping.Ping;
            if (result.Outcome != ProbeOutcome.Connected)
            {
                throw new LabException($"{ping.From} does not reach {ping.To} on the underlay: {result}. See {Layout.OvsFolder(ping.From)}/ovs-vswitchd.log");
            }
        }
    }

    private async Task StartControlPlaneAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(Layout.ApiServerFolder);
        await StartApiServerAsync(ct);
        using var api = ConnectApi();
        await WaitAsync("apiserver", "the API server does not answer", async () => await api.FindAsync("/api/v1/namespaces/default", ct) is not null, ct);
        await api.EnsureAsync("/api/v1/namespaces", new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = SystemNamespace },
        }, ct);
        await ServiceAccounts.EnsureAsync(api, ct);
        await Manifests.ApplyCrdsAsync(this, _programs, ct);
        if (State.Options.Kubeconfig is null)
        {
            await Manifests.ApplyRolesAsync(this, _programs, ct);
        }

        if (State.Options.Kubeconfig is null)
        {
            await EnsureTopologyApiAsync(api, ct);
        }

        await StartControllersAsync(api, ct);
    }

    /// <summary>Lets kubectl see what the controller computes: <c>kubectl get logicalports</c>. Only our API server knows the way.</summary>
    private static Task EnsureTopologyApiAsync(ClusterApi api, CancellationToken ct) => api.EnsureAsync("/apis/apiregistration.k8s.io/v1/apiservices", new JsonObject
    {
        ["apiVersion"] = "apiregistration.k8s.io/v1",
        ["kind"] = "APIService",
        ["metadata"] = new JsonObject
        {
            ["name"] = "v1alpha1.topology.weft.dev",
            ["annotations"] = new JsonObject { [ApiServer.AggregatedApis.AddressAnnotation] = $"{Underlay.V4(Underlay.ControlPlaneHost)}:{FirstControllerPort}" },
        },
        ["spec"] = new JsonObject
        {
            ["group"] = "topology.weft.dev",
            ["version"] = "v1alpha1",
            ["groupPriorityMinimum"] = 1000,
            ["versionPriority"] = 15,
            ["insecureSkipTLSVerify"] = true,
            ["service"] = new JsonObject { ["namespace"] = SystemNamespace, ["name"] = "weft-controller", ["port"] = FirstControllerPort },
        },
    }, ct);

    private async Task StartApiServerAsync(CancellationToken ct)
    {
        if (State.Options.Kubeconfig is { } given)
        {
            // The control plane's namespace reaches nothing outside: the server appears there under its own address.
            var server = ClusterAccess.ServerOf(given);
            if (!System.Net.IPAddress.IsLoopback(server.Address))
            {
                await Layout.ControlPlane.IpAsync(ct, $"addr add {server.Address} dev lo");
            }

            Record(ProcessStarter.Start(Layout, "apiserver", netns: null, Log("apiserver"),
                [.. _programs.Lab, "forward", "--name", Layout.Name, "--to", server.ToString()]));
            return;
        }

        Record(ProcessStarter.Start(Layout, "apiserver", Layout.ControlPlane, Log("apiserver"),
        [
            .. _programs.Lab, "apiserver",
            "--state-dir", Layout.ApiServerFolder,
            "--authorization-mode", "RBAC",
            "--listen", $"{Underlay.V4(Underlay.ControlPlaneHost)}:6443",
            "--unix-socket", Layout.ApiSocket,
            "--service-cidr", LabLayout.ServiceCidrs,
            "--cluster-cidr", State.Options.ClusterCidrs,
        ]));
    }

    private async Task StartControllersAsync(ClusterApi api, CancellationToken ct)
    {
        Directory.CreateDirectory(Layout.ControllerFolder);
        // With the chart's rights and no more. A real server's administrator decides for himself.
        var kubeconfig = State.Options.Kubeconfig ?? await ServiceAccounts.WriteControllerKubeconfigAsync(api, Layout, ct);
        var certificate = Path.Combine(Layout.ControllerFolder, "tls", "tls.crt");
        for (var i = 0; i < State.Options.Controllers; i++)
        {
            var role = i == 0 ? "controller" : $"controller-{i + 1}";
            var file = Path.Combine(Layout.ControllerFolder, role + ".json");
            WriteJson(file, new JsonObject
            {
                ["kubeconfig"] = kubeconfig,
                ["listen"] = $"0.0.0.0:{FirstControllerPort + i}",
                ["tlsDir"] = Path.GetDirectoryName(certificate),
                ["tunnel"] = State.Options.Tunnel,
                ["mtu"] = 0,
                ["clusterCidrs"] = List(State.Options.ClusterCidrs),
                ["serviceCidrs"] = List(LabLayout.ServiceCidrs),
                ["loadBalancerPools"] = List(LabLayout.LoadBalancerPools),
                ["namespace"] = SystemNamespace,
                ["agentAuthentication"] = "tokenReview",
                ["agentAudience"] = ServiceAccounts.AgentAudience,
                ["metricsListen"] = $"{ControlPlaneAddress}:{10350 + i}",
            });
            Record(ProcessStarter.Start(Layout, role, Layout.ControlPlane, Log(role), [.. _programs.Controller, "--config", file]));
            if (i + 1 < State.Options.Controllers)
            {
                // The first makes the certificates that all of them show.
                await WaitAsync(role, $"{role} made no certificate", () => Task.FromResult(File.Exists(certificate)), ct);
            }
        }
    }

    private async Task StartAgentAsync(ClusterApi api, string node, NodeSwitch ovs, CancellationToken ct)
    {
        // Its token is bound to the node.
        await WaitAsync("kubelets", $"{node} is not registered", async () => await api.FindAsync($"/api/v1/nodes/{node}", ct) is not null, ct);
        var folder = Layout.NodeFolder(node);
        var token = Path.Combine(folder, "token");
        await File.WriteAllTextAsync(token, await ServiceAccounts.RequestAgentTokenAsync(api, node, ct), ct);
        if (State.Options.SparePorts > 0)
        {
            await Layout.Spares(node).CreateAsync(ct);
        }

        WriteJson(Path.Combine(folder, "agent.json"), new JsonObject
        {
            ["nodeName"] = node,
            ["controllers"] = new JsonArray([.. Enumerable.Range(FirstControllerPort, State.Options.Controllers)
                .Select(port => JsonValue.Create($"https://{Underlay.V4(Underlay.ControlPlaneHost)}:{port}"))]),
            ["controllerCaFile"] = Path.Combine(Layout.ControllerFolder, "tls", "ca.crt"),
            ["tokenFile"] = token,
            ["ovsdb"] = $"unix:{Layout.OvsFolder(node)}/db.sock",
            ["ovsRunDir"] = Layout.OvsFolder(node),
            ["datapathType"] = State.Options.Datapath,
            ["cniSocket"] = Layout.CniSocket(node),
            ["stateDir"] = Path.Combine(folder, "state"),
            ["hostAccessToTenants"] = State.Cgroups is null ? "any" : "kubelet",
            ["kubeletCgroup"] = State.Cgroups?.Kubelet ?? "",
            ["hostProc"] = State.Cgroups is null ? "" : Layout.HostProc,
            ["hostCgroup"] = State.Cgroups?.Root ?? "/sys/fs/cgroup",
            ["sparePorts"] = State.Options.SparePorts,
            ["sparePortsNamespace"] = Layout.Spares(node).Path,
        });
        Record(ProcessStarter.Start(Layout, $"{node}/agent", Layout.Node(node), Log($"{node}/agent"),
            Wrap(g => g.WrapAgent, [.. _programs.Agent, "--config", Path.Combine(folder, "agent.json")])));
        await WaitAsync($"{node}/agent", $"the agent of {node} does not listen for the CNI plugin",
            () => Task.FromResult(File.Exists(Layout.CniSocket(node))), ct);
        await WaitAsync($"{node}/agent", $"the agent of {node} made no tunnel port", () => ovs.HasTunnelAsync(ct), ct);
    }

    private async Task WaitAsync(string role, string complaint, Func<Task<bool>> ready, CancellationToken ct) =>
        await Wait.UntilAsync(complaint, async () =>
        {
            if (!ProcessTable.Runs(State.Process(role)))
            {
                throw new LabException($"{role} ended by itself:\n{ProcessStarter.Tail(Log(role))}");
            }

            try
            {
                return await ready();
            }
            catch (Exception e) when (e is HttpRequestException or ClusterApiException)
            {
                // It listens a moment after it was started.
                return false;
            }
        }, () => ProcessStarter.Tail(Log(role)), TimeSpan.FromSeconds(30), ct);

    private void Record(LabProcess process)
    {
        lock (_gate)
        {
            State = State with { Processes = [.. State.Processes.Where(p => p.Role != process.Role), process] };
            State.Write(Layout);
        }
    }

    private string Log(string role) => Path.Combine(Layout.Folder, role + ".log");

    private static JsonArray List(string commaSeparated) => new([.. commaSeparated.Split(',').Select(c => JsonValue.Create(c))]);

    private static void WriteJson(string file, JsonObject content) =>
        File.WriteAllText(file, content.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
}
