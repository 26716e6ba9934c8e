using System.CommandLine;
using System.Net;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Commands;

/// <summary>The lab's commands that take options of their own.</summary>
internal static class LabCommands
{
    private static readonly Option<string> Name = new("--name")
    {
        Description = "Which lab, when there are several on this machine", DefaultValueFactory = _ => "weft", Recursive = true,
    };

    /// <summary>All of them.</summary>
    public static IEnumerable<Symbol> Create() =>
    [
        Name, Up(), Down(), Status(), Logs(), Restart(), Supervise(), Forward(),
    ];

    private static Command Up()
    {
        var nodes = new Option<int>("--nodes") { Description = "How many nodes", DefaultValueFactory = _ => 3 };
        var tunnel = new Option<string>("--tunnel") { Description = "geneve, gre or vxlan", DefaultValueFactory = _ => "geneve" };
        var datapath = new Option<string>("--datapath")
        {
            Description = "netdev (user space), or system where the kernel has the openvswitch module", DefaultValueFactory = _ => "netdev",
        };
        var controllers = new Option<int>("--controllers") { Description = "How many controllers; one leads", DefaultValueFactory = _ => 1 };
        var mtu = new Option<int>("--mtu") { Description = "MTU of the underlay in bytes", DefaultValueFactory = _ => 1500 };
        var cidrs = new Option<string>("--cluster-cidr")
        {
            Description = "Pod addresses, one range a family", DefaultValueFactory = _ => new LabOptions().ClusterCidrs,
        };
        var spares = new Option<int>("--spare-ports") { Description = "Ports that each agent makes in advance", DefaultValueFactory = _ => 0 };
        var manifests = new Option<string?>("--manifests") { Description = "Folder or file to apply instead of the demo; empty for none" };
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "Use this API server instead of the lab's own" };
        var command = new Command("up", "Start a cluster on this machine.") { nodes, controllers, tunnel, datapath, mtu, cidrs, spares, manifests, kubeconfig };
        command.SetAction((result, ct) => Terminal.RunAsync(() => UpCommand.RunAsync(
            new LabOptions
            {
                Name = result.GetValue(Name)!,
                Nodes = result.GetValue(nodes),
                Controllers = result.GetValue(controllers),
                Tunnel = result.GetValue(tunnel)!,
                Datapath = result.GetValue(datapath)!,
                UnderlayMtu = result.GetValue(mtu),
                ClusterCidrs = result.GetValue(cidrs)!,
                SparePorts = result.GetValue(spares),
                Manifests = result.GetValue(manifests),
                Kubeconfig = result.GetValue(kubeconfig) is { } file ? Path.GetFullPath(file) : null,
            },
            ct)));
        return command;
    }

    private static Command Down()
    {
        var command = new Command("down", "End the cluster and remove everything of it.");
        command.SetAction((result, ct) => Terminal.RunAsync(async () =>
        {
            await LabRemoval.DownAsync(new LabLayout(result.GetValue(Name)!), ct);
            return 0;
        }));
        return command;
    }

    private static Command Status()
    {
        var command = new Command("status", "Show processes, pods and who reaches whom.");
        command.SetAction((result, ct) => Terminal.RunAsync(() => StatusCommand.RunAsync(LabCluster.Open(result.GetValue(Name)!), ct)));
        return command;
    }

    private static Command Logs()
    {
        var role = new Argument<string?>("WHICH")
        {
            Description = "apiserver, controller, kubelets, nodeN/agent, nodeN/ovs-vswitchd or NAMESPACE/POD; none: list them",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("logs", "Show the log of a process or pod.") { role };
        command.SetAction((result, ct) => Terminal.RunAsync(() =>
            LogsCommand.RunAsync(LabCluster.Open(result.GetValue(Name)!), result.GetValue(role), ct)));
        return command;
    }

    private static Command Restart()
    {
        var role = new Argument<string>("WHICH") { Description = "A process as 'status' lists it, for example node1/agent" };
        var command = new Command("restart", "Kill a process of the lab and start it again.") { role };
        command.SetAction((result, ct) => Terminal.RunAsync(async () =>
        {
            var lab = LabCluster.Open(result.GetValue(Name)!);
            await lab.StopAsync(result.GetValue(role)!, force: true, ct);
            lab.StartAgain(result.GetValue(role)!);
            return 0;
        }));
        return command;
    }

    private static Command Supervise()
    {
        var cni = new Option<string>("--cni") { Description = "The CNI plugin", Required = true };
        var command = new Command("supervise", "Play the kubelet of every node (started by 'up').") { cni };
        command.Hidden = true;
        command.SetAction((result, ct) => Terminal.RunAsync(async () =>
        {
            await Supervisor.RunAsync(new LabLayout(result.GetValue(Name)!), result.GetValue(cni)!, ct);
            return 0;
        }));
        return command;
    }

    private static Command Forward()
    {
        var to = new Option<string>("--to") { Description = "Address and port of the API server", Required = true };
        var command = new Command("forward", "Make another API server reachable for the controller (started by 'up --kubeconfig').") { to };
        command.Hidden = true;
        command.SetAction((result, ct) => Terminal.RunAsync(async () =>
        {
            await Forwarder.RunAsync(new LabLayout(result.GetValue(Name)!).ControlPlane, IPEndPoint.Parse(result.GetValue(to)!), ct);
            return 0;
        }));
        return command;
    }
}
