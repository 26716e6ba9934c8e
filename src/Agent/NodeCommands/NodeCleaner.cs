using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Host;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.NodeCommands;

/// <summary>Removes from the node whatever agent and plugin made there. Safe to repeat; what is not there is no error.</summary>
internal static partial class NodeCleaner
{
    private static readonly TimeSpan AgentPatience = TimeSpan.FromSeconds(60);

    /// <summary>Waits until no agent runs (it would put everything back), then removes.</summary>
    /// <exception cref="TimeoutException">An agent still runs.</exception>
    public static async Task RunAsync(Func<string, string?, string> options, CancellationToken ct)
    {
        var socket = options("--socket", null);
        await WaitForAgentAsync(socket, ct).ConfigureAwait(false);

        // First what makes the runtime call us.
        CniFiles.Remove(options("--bin-dir", null), options("--conf-dir", null), options("--conf-name", null));
        await RemoveBridgeAsync(options("--ovs-run-dir", null), options("--bridge", null), ct).ConfigureAwait(false);
        await RemoveHostAsync(ct).ConfigureAwait(false);
        File.Delete(socket);
        Empty(options("--state-dir", null));
        await Console.Out.WriteLineAsync("the node is clean").ConfigureAwait(false);
    }

    private static async Task WaitForAgentAsync(string socket, CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        while (Answers(socket))
        {
            if (Stopwatch.GetElapsedTime(begun) > AgentPatience)
            {
                throw new TimeoutException($"an agent still listens at {socket}: end it first, it would put everything back");
            }

            await Task.Delay(500, ct).ConfigureAwait(false);
        }
    }

    private static bool Answers(string socket)
    {
        try
        {
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(new UnixDomainSocketEndPoint(socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Where Open vSwitch is gone already, its own image removes the data path.</summary>
    private static async Task RemoveBridgeAsync(string runDir, string bridge, CancellationToken ct)
    {
        var database = Path.Combine(runDir, "db.sock");
        if (!Answers(database))
        {
            return;
        }

        try
        {
            using var process = Process.Start(new ProcessStartInfo("ovs-vsctl", [$"--db=unix:{database}", "--timeout=15", "--if-exists", "del-br", bridge]) { RedirectStandardError = true })!;
            var error = await process.StandardError.ReadToEndAsync(ct).ConfigureAwait(false);
            await process.WaitForExitAsync(ct).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                throw new IOException($"bridge {bridge} could not be removed: {error.Trim()}");
            }
        }
        catch (Win32Exception e)
        {
            throw new IOException($"bridge {bridge} could not be removed, ovs-vsctl cannot be started: {e.Message}", e);
        }
    }

    private static async Task RemoveHostAsync(CancellationToken ct)
    {
        // Routes, rules and addresses of ours that an empty plan does not have.
        await using (var host = new HostNetwork(TimeProvider.System, NullLogger<HostNetwork>.Instance))
        {
            await host.ApplyAsync(new HostPlan { Forward = false }, ct).ConfigureAwait(false);
        }

        try
        {
            await new Nftables(netns: null).RemoveAsync(ct).ConfigureAwait(false);
            await HostIsolation.RemoveAsync(ct).ConfigureAwait(false);
        }
        catch (NftException e)
        {
            throw new IOException($"the nftables table could not be removed: {e.Message}", e);
        }

        using var netlink = RouteNetlink.Open();
        var batch = new NetlinkBatch();
        foreach (var link in netlink.Links().Where(l => l.Kind == "veth" && PodInterface().IsMatch(l.Name)))
        {
            RouteNetlink.DeleteLink(batch, link.Name);
        }

        netlink.TryExecute(batch);
    }

    private static void Empty(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries(folder))
        {
            // The database of Open vSwitch lies here too, in a folder of its own.
            if (File.Exists(entry))
            {
                File.Delete(entry);
            }
        }
    }

    [GeneratedRegex("^w[0-9a-f]{10}$")]
    private static partial Regex PodInterface();
}
