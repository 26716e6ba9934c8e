using System.CommandLine;
using System.Globalization;
using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Clusters;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;
using Weft.Topology;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl capture</c>: packets at a pod, a gateway or a tunnel, into a pcap file. It always ends.</summary>
internal static class CaptureCommand
{
    public static Command Create()
    {
        var pod = new Option<string?>("--pod") { Description = "At this pod, NAMESPACE/POD" };
        var node = new Option<string?>("--node") { Description = "On this node, with --at gateway or tunnel" };
        var at = new Option<string>("--at") { Description = "pod, gateway or tunnel", DefaultValueFactory = _ => "pod" };
        at.AcceptOnlyFromAmong("pod", "gateway", "tunnel");
        var filter = new Option<string>("--filter") { Description = "In the syntax of pcap-filter(7); for geneve tunnels, of the packets inside", DefaultValueFactory = _ => "" };
        var write = new Option<string>("--write", "-w") { Description = "File for the packets; - for standard output", DefaultValueFactory = _ => "capture.pcap" };
        var count = new Option<int>("--count", "-c") { Description = "End after so many packets", DefaultValueFactory = _ => 1000 }.Between(1, 1_000_000);
        var seconds = new Option<int>("--seconds") { Description = "End after so many seconds", DefaultValueFactory = _ => 30 }.Between(1, 3600);
        var command = new Command("capture", "Write packets to a pcap file, until so many packets or seconds have passed.") { pod, node, at, filter, write, count, seconds };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var (packets, duration) = (result.GetValue(count), result.GetValue(seconds));
            var directory = await NodeDirectory.LoadAsync(cluster, ct);
            var (where, device, expression) = await PlaceAsync(directory, result.GetValue(at)!, result.GetValue(pod), result.GetValue(node), result.GetValue(filter)!, ct);
            // The node itself ends it, also when we are cut off.
            string[] tcpdump =
            [
                "timeout", "--signal=INT", duration.ToString(CultureInfo.InvariantCulture),
                "tcpdump", "-i", device, "-U", "-n", "-c", packets.ToString(CultureInfo.InvariantCulture), "-w", "-", .. expression.Length > 0 ? (string[])[expression] : [],
            ];
            var file = result.GetValue(write)!;
            await using var output = file == "-" ? Console.OpenStandardOutput() : File.Create(file);
            var ended = await cluster.StreamAsync(where, tcpdump, output, ct);
            // 124: the time was over.
            if (ended.ExitCode is not (0 or 124))
            {
                throw new CtlException($"{where}: {ended.Error.Trim()}");
            }

            var summary = ended.Error.Split('\n').FirstOrDefault(l => l.Contains("packets captured", StringComparison.Ordinal)) ?? "the time is over";
            await Console.Error.WriteLineAsync($"{summary.Trim()} at {device} on {where}{(file == "-" ? "" : $", in {file}")}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<(string Node, string Device, string Filter)> PlaceAsync(NodeDirectory directory, string at, string? pod, string? node, string filter, CancellationToken ct)
    {
        if (at == "pod")
        {
            var owner = directory.Pod(pod ?? throw new CtlException("give --pod NAMESPACE/POD, or --node with --at gateway or tunnel"));
            var port = (await directory.ViewAsync(owner.Node, ct)).PortOf(owner.Id) ?? throw new CtlException($"{owner.Id} has no port on {owner.Node}");
            return (owner.Node, port.Name, filter);
        }

        var where = node is not null ? directory.Node(node) : (pod is null ? throw new CtlException($"give --node for --at {at}") : directory.Pod(pod).Node);
        if (at == "gateway")
        {
            return (where, BridgePorts.GatewayName, filter);
        }

        var settings = (await directory.ViewAsync(where, ct)).Slice.Settings;
        var inside = filter.Length > 0 ? $" and ({filter})" : "";
        return (where, "any", settings?.Tunnel switch
        {
            TunnelType.Vxlan => $"udp port 4789{inside}",
            TunnelType.Gre => $"proto gre{inside}",
            _ => filter.Length > 0 ? $"geneve{inside}" : "udp port 6081",
        });
    }
}
