using System.Globalization;
using System.Net;
using Weft.Lab.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Tries from a node's namespace what its kubelet can do: as a process in the kubelet's cgroup, or as one that is not.</summary>
public static class KubeletProbe
{
    private const string Ask = """
        import socket,sys
        a,p=sys.argv[1],int(sys.argv[2]); f=socket.AF_INET6 if ':' in a else socket.AF_INET
        for kind in (socket.SOCK_STREAM,socket.SOCK_DGRAM):
            try:
                s=socket.socket(f,kind); s.settimeout(float(sys.argv[3])); s.connect((a,p)); s.send(b'?\n'); s.recv(64); print('Connected')
            except TimeoutError: print('TimedOut')
            except ConnectionRefusedError: print('Refused')
            except OSError: print('Unreachable')
        """;

    /// <summary>TCP, UDP and ICMP from the kubelet's cgroup.</summary>
    /// <returns>The outcomes in this order.</returns>
    public static async Task<ProbeOutcome[]> AsKubeletAsync(this TestLab lab, string node, IPEndPoint to, TimeSpan? timeout = null)
    {
        var seconds = (timeout ?? TimeSpan.FromSeconds(2)).TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var asked = await RunAsync(lab, node, "python3", "-c", Ask, to.Address.ToString(), to.Port.ToString(CultureInfo.InvariantCulture), seconds);
        var pinged = await RunAsync(lab, node, "ping", "-c1", "-i0.2", "-W", seconds, to.Address.ToString());
        return [.. asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<ProbeOutcome>), pinged.ExitCode == 0 ? ProbeOutcome.Connected : ProbeOutcome.TimedOut];
    }

    private static Task<ShellResult> RunAsync(TestLab lab, string node, params string[] command)
    {
        string[] inside = [.. lab.Cluster.Layout.Node(node).Wrap(command)];
        return lab.Cluster.State.Cgroups is { } cgroups
            ? Shell.TryRunAsync("sh", ["-c", """echo 0 >"$1/cgroup.procs" && shift && exec "$@" """, "sh", cgroups.Folder("kubelet"), .. inside], null, null, TimeSpan.FromSeconds(30), CancellationToken.None)
            : Shell.TryRunAsync(inside[0], inside[1..], null, null, TimeSpan.FromSeconds(30), CancellationToken.None);
    }
}
