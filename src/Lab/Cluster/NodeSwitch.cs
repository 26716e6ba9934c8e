using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>A node's namespace and its Open vSwitch. In user space the uplink is on <c>br-phy</c>, which owns the node's addresses; with the kernel's data path <c>eth0</c> does.</summary>
internal sealed class NodeSwitch(LabLayout layout, Underlay underlay, string node, int index, string datapath)
{
    private readonly Netns _netns = layout.Node(node);
    private readonly string _folder = layout.OvsFolder(node);
    private readonly bool _isKernel = datapath == "system";

    /// <summary>Variables with which the ovs programs find this node's switch.</summary>
    public static Dictionary<string, string> Environment(string folder) => new()
    {
        ["OVS_RUNDIR"] = folder,
        ["OVS_LOGDIR"] = folder,
        ["OVS_DBDIR"] = folder,
    };

    /// <summary>Makes the namespace, starts database and switch (each reported to <paramref name="started"/>), sets the uplink up.</summary>
    public async Task CreateAsync(Action<LabProcess> started, CancellationToken ct)
    {
        Directory.CreateDirectory(_folder);
        await Task.WhenAll(
            underlay.JoinAsync(_netns, node, ct),
            Shell.RunAsync("ovsdb-tool", ["create", $"{_folder}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"], ct: ct));
        await _netns.SetAsync(("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1"));
        if (!_isKernel)
        {
            // The switch reads a copy of what comes in at eth0; the kernel must not take the original too: no IPv6 there, no answer
            // to ARP, and no packet from a source whose route leads elsewhere (all of them: they lead to br-phy).
            await _netns.SetAsync(("ipv6/conf/eth0/disable_ipv6", "1"), ("ipv4/conf/eth0/arp_ignore", "8"), ("ipv4/conf/eth0/rp_filter", "1"));
        }

        started(Start("ovsdb-server",
            $"{_folder}/conf.db", $"--remote=punix:{_folder}/db.sock", $"--pidfile={_folder}/ovsdb-server.pid"));
        await WaitAsync("ovsdb-server", () => File.Exists($"{_folder}/db.sock"), ct);
        await VsctlAsync(ct,
        [
            "--no-wait", "init", "--", "set", "Open_vSwitch", ".", $"external_ids:system-id={layout.Name}-{node}", $"external_ids:hostname={node}",
            .. _isKernel ? Array.Empty<string>() : ["--", "add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=netdev", "fail_mode=standalone", "--", "add-port", "br-phy", "eth0"],
        ]);

        started(Start("ovs-vswitchd", $"unix:{_folder}/db.sock", $"--pidfile={_folder}/ovs-vswitchd.pid"));
        // Ends when the switch has done what the database says.
        await VsctlAsync(ct, "--timeout=20", "set", "Open_vSwitch", ".", "external_ids:weft-lab=ready");
        var host = Underlay.NodeHost(index);
        await _netns.IpAsync(ct,
            $"link set {Uplink} up",
            $"addr add {Underlay.V4(host)}/24 dev {Uplink}",
            $"addr add {Underlay.V6(host)}/64 dev {Uplink} nodad",
            $"route add default via {Underlay.V4(Underlay.OutsideHost)}",
            $"route add ::/0 via {Underlay.V6(Underlay.OutsideHost)}");
    }

    /// <summary>True when the agent has made the tunnel port and the switch takes packets for it.</summary>
    public async Task<bool> HasTunnelAsync(CancellationToken ct)
    {
        if (_isKernel)
        {
            return (await Shell.RunAsync("ovs-vsctl", [$"--db=unix:{_folder}/db.sock", "--if-exists", "get", "Interface", "weft-tun0", "ofport"], ct: ct)).Trim() is not ("" or "[]" or "-1");
        }

        var pid = (await File.ReadAllTextAsync($"{_folder}/ovs-vswitchd.pid", ct)).Trim();
        var ports = await Shell.RunAsync("ovs-appctl", ["-t", $"{_folder}/ovs-vswitchd.{pid}.ctl", "tnl/ports/show"], ct: ct);
        return ports.Contains("ref_cnt", StringComparison.Ordinal);
    }

    private string Uplink => _isKernel ? "eth0" : "br-phy";

    private LabProcess Start(string program, params string[] arguments)
    {
        string[] command =
        [
            "env", .. Environment(_folder).Select(e => $"{e.Key}={e.Value}"),
            Shell.Find(program), .. arguments, "--no-chdir", "-vconsole:warn", "-vsyslog:off",
            $"--log-file={_folder}/{program}.log",
        ];
        return ProcessStarter.Start(layout, $"{node}/{program}", _netns, $"{_folder}/{program}.out", command);
    }

    private Task VsctlAsync(CancellationToken ct, params string[] arguments) =>
        Shell.RunAsync("ovs-vsctl", [$"--db=unix:{_folder}/db.sock", .. arguments], ct: ct);

    private async Task WaitAsync(string program, Func<bool> ready, CancellationToken ct) =>
        await Wait.UntilAsync($"{program} of {node} does not answer", ready,
            () => ProcessStarter.Tail($"{_folder}/{program}.log"), TimeSpan.FromSeconds(15), ct);
}
