using System.Net;
using System.Text.Json;
using Weft.Agent.Host.Netlink;
using Route = Weft.Agent.Host.Netlink.Route;

namespace Weft.Agent.CniServer;

internal sealed partial class CniCommands
{
    /// <summary>CHECK: what ADD answered (prevResult) is still so, in the pod, on the host and in the switch.</summary>
    private async Task CheckAsync(CniInvocation invocation, CancellationToken ct)
    {
        var previous = invocation.Config.PreviousResult ?? throw new CniException(
            CniErrorCode.InvalidConfiguration, "prevResult is missing", "CHECK needs the result of ADD in the configuration");
        var expected = PreviousResult.Read(previous, invocation.IfName, invocation.Netns);
        if (leases.Find(invocation.ContainerId, invocation.IfName) is not { } lease)
        {
            throw Differs(invocation, "the agent has no lease for it", "delete and add the container again");
        }

        foreach (var address in expected.Addresses.Where(a => !lease.Addresses.Contains(a.Address.ToString())))
        {
            throw Differs(invocation, $"address {address.Address} is not the lease's ({string.Join(", ", lease.Addresses)})", "delete and add the container again");
        }

        var attachment = network.Attachments.FirstOrDefault(a => a.ContainerId == invocation.ContainerId && a.IfName == invocation.IfName);
        if (attachment is { Aliases.IsEmpty: false })
        {
            // The switch turns an alias into the pod's address: the interface does not have it.
            expected = expected with { Addresses = [] };
        }

        expected = expected with { IsLimitedInside = attachment?.EgressLimit is not null, IsLimitedOutside = attachment?.IngressLimit is not null };
        var hostName = lease.HostInterface;
        if (await OnLinksAsync(() => FindDifference(expected, hostName, invocation.Netns), ct).ConfigureAwait(false) is { } difference)
        {
            throw Differs(invocation, difference, "somebody changed the pod's interface: delete and add the container again");
        }

        if (await network.CheckAsync(invocation.ContainerId, invocation.IfName, ct).ConfigureAwait(false) is { } problem)
        {
            throw Differs(invocation, problem, "the agent repairs the switch by itself; look at its status when this stays");
        }
    }

    private static CniException Differs(CniInvocation invocation, string what, string remedy) =>
        new(CniErrorCode.CheckFailed, $"pod {invocation.Pod}, {invocation.IfName}: {what}", remedy);

    private string? FindDifference(PreviousResult expected, string hostName, string netns)
    {
        try
        {
            using var host = links.OpenHost();
            return host.FindLink(hostName) is not { } outside ? $"host interface {hostName} is missing"
                : !outside.IsUp ? $"host interface {hostName} is down"
                : expected.IsLimitedOutside && outside.Queue != "htb" ? $"host interface {hostName} does not limit what comes to the pod (its queue is '{outside.Queue}'): has the kernel sch_htb?"
                : NetworkNamespace.Run(netns, () => FindDifferenceInside(expected, outside));
        }
        catch (NetlinkException e)
        {
            return e.Message;
        }
    }

    private static string? FindDifferenceInside(PreviousResult expected, Link outside)
    {
        using var pod = RouteNetlink.Open();
        if (pod.FindLink(expected.IfName) is not { } link)
        {
            return "the interface is missing in the pod";
        }

        var addresses = pod.Addresses(link.Index);
        var routes = pod.Routes(table: Route.MainTable);
        var lostAddress = expected.Addresses.FirstOrDefault(a => !addresses.Contains(a));
        var lostRoute = expected.Routes.FirstOrDefault(e => !routes.Any(r => r.Interface == link.Index && r.Destination == e.Destination && Equals(r.Gateway, e.Gateway)));
        return !link.IsUp ? "the interface is down in the pod"
            : !link.IsInsideOf(outside) ? $"the interface is not the peer of {outside.Name}"
            : expected.Mac is { } mac && mac != link.Mac ? $"the MAC address is {link.Mac}, not {mac}"
            : expected.Mtu is { } mtu && mtu != link.Mtu ? $"the MTU is {link.Mtu}, not {mtu}"
            : expected.IsLimitedInside && link.Queue != RouteNetlink.RateLimiter ? $"the interface does not limit what the pod sends (its queue is '{link.Queue}')"
            : lostAddress.Address is not null ? $"address {lostAddress} is missing in the pod"
            : lostRoute != default ? $"the route to {lostRoute.Destination} via {lostRoute.Gateway} is missing in the pod"
            : null;
    }
}

/// <summary>The part of a CNI result that is about one interface of a pod.</summary>
internal sealed record PreviousResult
{
    public required string IfName { get; init; }

    public string? Mac { get; init; }

    public int? Mtu { get; init; }

    /// <summary>What the pod sends is limited.</summary>
    public bool IsLimitedInside { get; init; }

    /// <summary>What comes to the pod is limited.</summary>
    public bool IsLimitedOutside { get; init; }

    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    public IReadOnlyList<(InterfaceAddress Destination, IPAddress Gateway)> Routes { get; init; } = [];

    /// <summary>Reads a result of any supported version, with what chained plugins may have added.</summary>
    /// <exception cref="CniException">Code 7: it is no result, or does not have this interface.</exception>
    public static PreviousResult Read(JsonElement result, string ifName, string netns)
    {
        try
        {
            var interfaces = List(result, "interfaces");
            var index = interfaces.FindIndex(i => Text(i, "name") == ifName && Text(i, "sandbox") == netns);
            if (index < 0)
            {
                throw new CniException(CniErrorCode.InvalidConfiguration, $"prevResult has no interface {ifName} in {netns}", "give the result of ADD of this container");
            }

            var own = interfaces[index];
            return new PreviousResult
            {
                IfName = ifName,
                Mac = Text(own, "mac")?.ToLowerInvariant(),
                Mtu = own.TryGetProperty("mtu", out var mtu) ? mtu.GetInt32() : null,
                Addresses = [.. List(result, "ips")
                    .Where(i => i.TryGetProperty("interface", out var at) && at.GetInt32() == index)
                    .Select(i => InterfaceAddress.Parse(Text(i, "address") ?? ""))],
                Routes = [.. List(result, "routes")
                    .Where(r => Text(r, "gw") is not null)
                    .Select(r => (InterfaceAddress.Parse(Text(r, "dst") ?? ""), IPAddress.Parse(Text(r, "gw")!)))],
            };
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or OverflowException)
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, $"prevResult is no CNI result: {e.Message}", "give the result of ADD of this container", e);
        }
    }

    private static List<JsonElement> List(JsonElement parent, string field) =>
        parent.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? [.. value.EnumerateArray()] : [];

    private static string? Text(JsonElement parent, string field) => parent.TryGetProperty(field, out var value) ? value.GetString() : null;
}
