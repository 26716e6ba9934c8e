using System.Diagnostics;
using Weft.Lab.Cluster;
using Weft.Lab.Net;

namespace Weft.Lab.Commands;

/// <summary>Commands that run another program inside the lab with arguments that are its own: <c>kubectl</c>, <c>exec</c>, <c>ovs</c>.</summary>
internal static class PassThrough
{
    /// <summary>What is known of them, for the help.</summary>
    public const string Help = """
          kubectl ARGS                     stock kubectl with the lab's cluster
          exec NAMESPACE/POD -- COMMAND    run a command in a pod's network
          ovs NODE -- COMMAND              run a command with a node's Open vSwitch (ovs-ofctl, ovs-vsctl, ovs-appctl)
        """;

    /// <summary>Runs the command when it is one of these; null when it is not.</summary>
    public static async Task<int?> TryRunAsync(string[] arguments)
    {
        var name = "weft";
        if (arguments is ["--name", var given, ..])
        {
            (name, arguments) = (given, arguments[2..]);
        }

        return arguments switch
        {
            ["kubectl", .. var rest] => await Terminal.RunAsync(() => KubectlAsync(name, rest)),
            ["exec", .. var rest] => await Terminal.RunAsync(() => ExecAsync(name, rest)),
            ["ovs", .. var rest] => await Terminal.RunAsync(() => OvsAsync(name, rest)),
            _ => null,
        };
    }

    private static Task<int> KubectlAsync(string name, string[] arguments)
    {
        var lab = LabCluster.Open(name);
        return RunAsync(lab.Layout.ControlPlane.Wrap(
            [Shell.Find("kubectl"), $"--kubeconfig={lab.Kubeconfig}", $"--cache-dir={lab.Layout.Folder}/kubectl", .. arguments]));
    }

    private static async Task<int> ExecAsync(string name, string[] arguments)
    {
        if (arguments is not [var where, .. var command] || where.Split('/') is not [var ns, var podName] || Rest(command) is not { Length: > 0 } rest)
        {
            throw new LabException("write: lab exec NAMESPACE/POD -- COMMAND");
        }

        var lab = LabCluster.Open(name);
        using var api = lab.ConnectApi();
        var json = await api.FindAsync($"/api/v1/namespaces/{ns}/pods/{podName}", CancellationToken.None)
            ?? throw new LabException($"there is no pod {where}: see 'lab kubectl get pods -A'");
        var pod = PodView.Read(json);
        var netns = pod.Netns ?? throw new LabException($"the pod {where} is {pod.Phase} and has no network of its own (yet). {pod.Problem}");
        return await RunAsync(netns.Wrap(rest));
    }

    private static Task<int> OvsAsync(string name, string[] arguments)
    {
        var lab = LabCluster.Open(name);
        if (arguments is not [var node, .. var command] || Rest(command) is not { Length: > 0 } rest)
        {
            throw new LabException("write: lab ovs NODE -- COMMAND");
        }

        return lab.State.Nodes.Contains(node)
            ? RunAsync(lab.Layout.Node(node).Wrap([Shell.Find(rest[0]), .. rest[1..]]), lab.OvsEnvironment(node))
            : throw new LabException($"there is no node '{node}'; there are {string.Join(", ", lab.State.Nodes)}");
    }

    private static string[] Rest(string[] command) => command is ["--", .. var rest] ? rest : command;

    private static async Task<int> RunAsync(IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        // The terminal sends Ctrl-C to the program too; it decides.
        Console.CancelKeyPress += (_, e) => e.Cancel = true;
        var start = new ProcessStartInfo(Shell.Find(command.First()));
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
