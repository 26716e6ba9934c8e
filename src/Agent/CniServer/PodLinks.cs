using Microsoft.Win32.SafeHandles;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>Makes, removes and examines a pod's veth pair. Works in milliseconds and starts no process; the pod's namespace is entered once.</summary>
/// <param name="hostNetns">Path of the node's network namespace; null: the process's own.</param>
/// <param name="spares">Pairs that were made in advance; null: there are none.</param>
internal sealed class PodLinks(string? hostNetns, SpareLinks? spares = null) : IDisposable
{
    private readonly LinkRemovals _removals = new(hostNetns);

    /// <summary>Where work on links is done.</summary>
    public static KeptThreads Threads { get; } = new("links", kept: 4);

    /// <summary>Makes the pair and gives the pod's side its addresses and routes. What is there and right is kept, what is there and wrong is made again.</summary>
    /// <param name="wanted">How it must look.</param>
    /// <param name="exists">Called as soon as the pair exists, before it is complete.</param>
    /// <returns>True when the pair was made by this call.</returns>
    /// <exception cref="CniException">The interface cannot be made; nothing that this call made is left.</exception>
    public bool Ensure(PodInterface wanted, Action exists)
    {
        try
        {
            using var netns = NetworkNamespace.Open(wanted.Netns);
            using var host = OpenHost();
            var isSpare = wanted.IsSpare && spares?.TryAttach(netns, wanted) == true;
            var created = isSpare || Create(host, netns, wanted);
            try
            {
                exists();
                if (!isSpare)
                {
                    NetworkNamespace.Run(hostNetns, () => ConfigureHostSide(host, wanted.HostName, isUp: created));
                }

                NetworkNamespace.Run(netns, wanted.Netns, () => Configure(wanted));
                return created;
            }
            catch when (created)
            {
                Delete(host, wanted.HostName);
                throw;
            }
        }
        catch (NetlinkException e)
        {
            var code = e.ErrorNumber == Errno.NotFound && e.Operation.StartsWith("open network namespace", StringComparison.Ordinal)
                ? CniErrorCode.ContainerUnknown
                : CniErrorCode.Interface;
            throw new CniException(code, e.Message, $"pod interface {wanted.Name} in {wanted.Netns}, host side {wanted.HostName}", e);
        }
        catch (SysctlException e)
        {
            throw new CniException(CniErrorCode.Interface, e.Message, $"pod interface {wanted.Name} in {wanted.Netns}", e);
        }
    }

    /// <summary>Removes the pair; returns when no packet can pass it any more. One that does not exist is no error.</summary>
    /// <exception cref="CniException">The kernel refused.</exception>
    public async Task DeleteAsync(string hostName)
    {
        try
        {
            await _removals.RemoveAsync(hostName).ConfigureAwait(false);
        }
        catch (NetlinkException e)
        {
            throw new CniException(CniErrorCode.Interface, e.Message, inner: e);
        }
    }

    /// <summary>Whether the host side exists.</summary>
    public bool Exists(string hostName)
    {
        using var host = OpenHost();
        return host.FindLink(hostName) is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _removals.Dispose();

    /// <summary>A netlink socket in the node's namespace.</summary>
    public RouteNetlink OpenHost() => RouteNetlink.Open(hostNetns);

    private static void Delete(RouteNetlink host, string hostName)
    {
        var batch = new NetlinkBatch();
        RouteNetlink.DeleteLink(batch, hostName);
        host.Execute(batch);
    }

    private static bool Create(RouteNetlink host, SafeFileHandle netns, PodInterface wanted)
    {
        if (TryCreate(host, netns, wanted) is not { } taken)
        {
            return true;
        }

        if (IsOurs(host, netns, wanted))
        {
            return false;
        }

        // A half-done ADD, a namespace that was replaced, or a pair made in advance that is too small: the host side's name is ours alone, so it can go.
        Delete(host, wanted.HostName);
        if (TryCreate(host, netns, wanted) is null)
        {
            return true;
        }

        throw new CniException(
            CniErrorCode.Interface,
            $"interface {wanted.Name} exists already in {wanted.Netns} and was not made by this plugin",
            "another CNI plugin or an earlier container used this namespace: the runtime must give a fresh one",
            taken);
    }

    private static NetlinkException? TryCreate(RouteNetlink host, SafeFileHandle netns, PodInterface wanted)
    {
        var batch = new NetlinkBatch();
        RouteNetlink.CreateVeth(batch, new VethPair
        {
            Name = wanted.HostName,
            Up = true,
            PeerName = wanted.Name,
            PeerNamespace = netns,
            PeerMac = wanted.Mac,
            Mtu = wanted.Mtu,
        });
        var failures = host.TryExecute(batch);
        return failures.Count == 0 ? null : failures[0].ErrorNumber == Errno.Exists ? failures[0] : throw failures[0];
    }

    /// <summary>Whether the two names are the two ends of one pair with the right MAC.</summary>
    private static bool IsOurs(RouteNetlink host, SafeFileHandle netns, PodInterface wanted)
    {
        if (host.FindLink(wanted.HostName) is not { } outside)
        {
            return false;
        }

        var inside = NetworkNamespace.Run(netns, wanted.Netns, () =>
        {
            using var pod = RouteNetlink.Open();
            return pod.FindLink(wanted.Name);
        });
        return inside is not null && inside.IsInsideOf(outside) && inside.Mac == wanted.Mac;
    }

    /// <summary>No IPv6 here, no answer to ARP for the host's addresses, and no packet from a source whose route leads elsewhere (ip-sysctl).</summary>
    internal static void Deafen(string hostName)
    {
        Sysctl.Set($"net/ipv6/conf/{hostName}/disable_ipv6", "1");
        Sysctl.Set($"net/ipv4/conf/{hostName}/arp_ignore", "8");
        Sysctl.Set($"net/ipv4/conf/{hostName}/rp_filter", "1");
    }

    /// <summary>The host side is up and deaf: in the userspace data path the host's own stack sees the pod's packets as well as Open vSwitch does.</summary>
    /// <remarks>It is made up, before it is deaf: nothing can come in while the pod's side is down, and ovs-vswitchd looks through all its ports whenever a link changes.</remarks>
    private static bool ConfigureHostSide(RouteNetlink host, string hostName, bool isUp)
    {
        Deafen(hostName);
        if (isUp)
        {
            return true;
        }

        var batch = new NetlinkBatch();
        RouteNetlink.SetLink(batch, hostName, up: true);
        host.Execute(batch);
        return true;
    }

    /// <summary>Runs inside the pod's namespace.</summary>
    private static bool Configure(PodInterface wanted)
    {
        using var pod = RouteNetlink.Open();
        var link = pod.FindLink(wanted.Name) ?? throw new NetlinkException($"find interface {wanted.Name} in {wanted.Netns}", Errno.NoDevice);
        SetParameters(wanted);
        if (wanted.DisableTxOffload && link.Kind != Link.Macvlan)
        {
            // What is on top of another interface has that one's offloads.
            Offloads.DisableTransmit(wanted.Name);
        }

        var batch = new NetlinkBatch();
        if (wanted.EgressLimit is { } limit)
        {
            LimitWhatThePodSends(batch, link.Index, limit);
        }

        RouteNetlink.SetLink(batch, link.Index, up: true, mtu: link.Mtu == wanted.Mtu ? null : wanted.Mtu);
        foreach (var address in wanted.Addresses)
        {
            RouteNetlink.AddAddress(batch, link.Index, address.Address);
        }

        foreach (var route in PodRoutes.Of(wanted, link.Index))
        {
            RouteNetlink.ReplaceRoute(batch, route);
        }

        pod.Execute(batch);
        return true;
    }

    /// <summary>On the pod's side, where the sender feels it at once and loses nothing: the switch could only drop what came already.</summary>
    private static void LimitWhatThePodSends(NetlinkBatch batch, int index, BandwidthLimit limit)
    {
        var burst = limit.Burst / 8;

        // What waits leaves within 25 ms, as with the standard bandwidth plugin.
        RouteNetlink.LimitRate(batch, index, limit.Rate / 8, (uint)burst, (uint)Math.Min(uint.MaxValue, (limit.Rate / 8 / 40) + burst));
    }

    /// <summary>The addresses are chosen by us: no duplicate address detection, no router advertisements; IPv6 on where the pod has such an address.</summary>
    private static void SetParameters(PodInterface wanted)
    {
        var folder = $"net/ipv6/conf/{wanted.Name}";
        if (wanted.Addresses.Any(a => a.Address.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6))
        {
            if (!Sysctl.Set($"{folder}/disable_ipv6", "0"))
            {
                throw new CniException(CniErrorCode.Interface, "the kernel has no IPv6, but the pod needs an IPv6 address", "boot without ipv6.disable=1, or give the node IPv4 pod CIDRs only");
            }
        }

        Sysctl.Set($"{folder}/accept_dad", "0");
        Sysctl.Set($"{folder}/accept_ra", "0");
    }
}
