using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Ctl.Nodes;
using Weft.Ctl.Output;

namespace Weft.Ctl.Tracing;

/// <summary>The two ends of a packet that is to be traced.</summary>
/// <param name="From">The pod that sends.</param>
/// <param name="Source">Its address.</param>
/// <param name="Destination">The address that it sends to.</param>
/// <param name="Port">A Service's first port, else 0.</param>
public sealed record TraceTarget(PodInfo From, IPAddress Source, IPAddress Destination, int Port)
{
    /// <summary>Finds the addresses behind names.</summary>
    /// <exception cref="CtlException">A name means nothing, or has no address of that family.</exception>
    public static async Task<TraceTarget> FindAsync(NodeDirectory directory, string from, string to, bool v6, CancellationToken ct)
    {
        var sender = directory.Pod(from);
        v6 |= IPAddress.TryParse(to, out var literal) && literal.AddressFamily == AddressFamily.InterNetworkV6;
        var source = await AddressOfAsync(directory, sender, v6, ct).ConfigureAwait(false);
        var (destination, port) = literal is not null ? (literal, 0) : await ResolveAsync(directory, to, v6, ct).ConfigureAwait(false);
        return new TraceTarget(sender, source, destination, port);
    }

    private static async Task<(IPAddress, int)> ResolveAsync(NodeDirectory directory, string to, bool v6, CancellationToken ct)
    {
        switch (to.Split('/'))
        {
            case ["service" or "svc", var ns, var name]:
                var service = directory.Services.FirstOrDefault(s => (string?)s["metadata"]!["namespace"] == ns && (string?)s["metadata"]!["name"] == name)
                    ?? throw new CtlException(
                        $"there is no Service {ns}/{name}{Suggestion.Ending($"{ns}/{name}", directory.Services.Select(s => $"{s["metadata"]!["namespace"]}/{s["metadata"]!["name"]}"))}");
                var addresses = (service["spec"]?["clusterIPs"] as JsonArray)?.Select(a => (string)a!) ?? [(string?)service["spec"]?["clusterIP"] ?? ""];
                return (Pick(addresses, v6, to), (int?)service["spec"]?["ports"]?[0]?["port"] ?? 0);
            case ["node", var name]:
                var node = directory.Nodes.Single(n => (string?)n["metadata"]!["name"] == directory.Node(name));
                return (Pick((node["status"]?["addresses"] as JsonArray ?? []).Where(a => (string?)a!["type"] == "InternalIP").Select(a => (string)a!["address"]!), v6, to), 0);
            default:
                return (await AddressOfAsync(directory, directory.Pod(to), v6, ct).ConfigureAwait(false), 0);
        }
    }

    /// <summary>The address in the pod's own network: a tenant's pod shows Kubernetes another one.</summary>
    private static async Task<IPAddress> AddressOfAsync(NodeDirectory directory, PodInfo pod, bool v6, CancellationToken ct)
    {
        var view = await directory.ViewAsync(pod.Node, ct).ConfigureAwait(false);
        var port = view.PortOf(pod.Id) ?? throw new CtlException($"{pod.Id} has no port on {pod.Node}{(pod.HostNetwork ? ": it is in the node's network" : $" (it is {pod.Phase})")}");
        return Pick(port.Addresses, v6, pod.Id);
    }

    private static IPAddress Pick(IEnumerable<string> addresses, bool v6, string whose) =>
        addresses.Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>()
            .FirstOrDefault(a => a.AddressFamily == (v6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork))
        ?? throw new CtlException($"{whose} has no {(v6 ? "IPv6" : "IPv4")} address");
}
