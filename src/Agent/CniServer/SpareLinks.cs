using Microsoft.Win32.SafeHandles;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>Veth pairs that are made before their pods come. The inner sides wait in a namespace of their own; what a pod gets is a macvlan interface on one of them.</summary>
/// <remarks>
/// Why not the inner side itself: the kernel takes 20 to 30 ms to move an interface, and a carrier that comes is an event for which ovs-vswitchd
/// looks through all its ports. A macvlan interface is there in half a millisecond, and nobody in the node's namespace hears of it. The inner sides
/// are not in the node's namespace for the same reason.
/// </remarks>
/// <param name="hostNetns">Path of the node's network namespace; null: the process's own.</param>
/// <param name="netns">Path of the namespace of the inner sides. It must outlive the agent: with it go the interfaces of all pods that got one of these.</param>
internal sealed class SpareLinks(string? hostNetns, string netns)
{
    private const string Trial = "weft-trial";

    /// <summary>Names and MTU of the pairs that are whole; none without the namespace.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyDictionary<string, int> Find()
    {
        if (!File.Exists(netns))
        {
            return new Dictionary<string, int>();
        }

        using var inside = RouteNetlink.Open(netns);
        using var host = RouteNetlink.Open(hostNetns);
        var peers = inside.Links().Where(l => PodInterface.IsHostName(l.Name)).ToDictionary(l => l.Name, StringComparer.Ordinal);
        return host.Links().Where(l => peers.TryGetValue(l.Name, out var peer) && peer.PeerIndex == l.Index && l.PeerIndex == peer.Index).ToDictionary(l => l.Name, l => l.Mtu, StringComparer.Ordinal);
    }

    /// <summary>Removes pairs, with what is on top of them. Those that do not exist are no error.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Delete(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        using var host = RouteNetlink.Open(hostNetns);
        Delete(host, names);
    }

    /// <summary>Makes pairs, both sides up. All or none.</summary>
    /// <exception cref="NetlinkException">The namespace is missing, the kernel refused, or it has no macvlan interfaces.</exception>
    /// <exception cref="SysctlException">A setting of the host side could not be written.</exception>
    public void Make(IReadOnlyList<string> names, int mtu, bool disableTxOffload)
    {
        using var host = RouteNetlink.Open(hostNetns);
        try
        {
            using (var handle = NetworkNamespace.Open(netns))
            {
                // Before there is one: no interface of this namespace ever sends a word of its own.
                NetworkNamespace.Run(handle, netns, () => Sysctl.Set("net/ipv6/conf/default/disable_ipv6", "1"));
                Create(host, handle, names, mtu);
            }

            NetworkNamespace.Run(hostNetns, () =>
            {
                foreach (var name in names)
                {
                    PodLinks.Deafen(name);
                }

                return true;
            });
            NetworkNamespace.Run(netns, () => BringUp(names, disableTxOffload));
        }
        catch
        {
            Delete(host, names);
            throw;
        }
    }

    /// <summary>Gives a pod the interface on top of a pair.</summary>
    /// <returns>False when there is no such pair, or it or the name in the pod is taken already.</returns>
    /// <exception cref="NetlinkException">The kernel refused for another reason.</exception>
    public bool TryAttach(SafeFileHandle pod, PodInterface wanted)
    {
        if (!File.Exists(netns))
        {
            return false;
        }

        using var inside = RouteNetlink.Open(netns);
        if (inside.FindLink(wanted.HostName) is not { } lower || lower.Mtu < wanted.Mtu)
        {
            return false;
        }

        var batch = new NetlinkBatch();
        RouteNetlink.CreateMacvlan(batch, lower.Index, wanted.Name, pod, wanted.Mac, wanted.Mtu);
        return inside.TryExecute(batch) switch
        {
            [] => true,
            [{ ErrorNumber: Errno.Exists }, ..] => false,
            [var other, ..] => throw other,
        };
    }

    private static void Create(RouteNetlink host, SafeFileHandle inner, IReadOnlyList<string> names, int mtu)
    {
        var batch = new NetlinkBatch();
        foreach (var name in names)
        {
            RouteNetlink.CreateVeth(batch, new VethPair { Name = name, Up = true, PeerName = name, PeerNamespace = inner, Mtu = mtu });
        }

        host.Execute(batch);
    }

    private static bool BringUp(IReadOnlyList<string> names, bool disableTxOffload)
    {
        using var inside = RouteNetlink.Open();
        var batch = new NetlinkBatch();
        foreach (var name in names)
        {
            if (disableTxOffload)
            {
                Offloads.DisableTransmit(name);
            }

            RouteNetlink.SetLink(batch, name, up: true);
        }

        inside.Execute(batch);
        Try(inside, names[0]);
        return true;
    }

    /// <summary>A kernel without macvlan is found out now, not by a pod.</summary>
    private static void Try(RouteNetlink inside, string name)
    {
        using var here = NetworkNamespace.Open("/proc/thread-self/ns/net");
        var batch = new NetlinkBatch();
        RouteNetlink.CreateMacvlan(batch, inside.FindLink(name)!.Index, Trial, here, "0a:58:00:00:00:01", 0);
        RouteNetlink.DeleteLink(batch, Trial);
        inside.Execute(batch);
    }

    private static void Delete(RouteNetlink host, IReadOnlyList<string> names)
    {
        var batch = new NetlinkBatch();
        foreach (var name in names)
        {
            RouteNetlink.DeleteLink(batch, name);
        }

        host.Execute(batch);
    }
}
