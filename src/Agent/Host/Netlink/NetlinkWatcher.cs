using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>Tells when something changes in a network namespace: links, addresses and routes, or nftables.</summary>
/// <remarks>Events can be lost (ENOBUFS): who needs to know the state reads it again after each.</remarks>
internal sealed unsafe class NetlinkWatcher : IDisposable
{
    private const int GroupLink = 1;
    private const int GroupIpv4Address = 5;
    private const int GroupIpv4Route = 7;
    private const int GroupIpv6Address = 9;
    private const int GroupIpv6Route = 11;
    private const int GroupNftables = 7;
    private readonly NetlinkSocket _socket;
    private readonly SafeFileHandle _stop = LinuxNative.OpenEventDescriptor();
    private readonly Handler _changed;
    private readonly Thread _thread;

    private NetlinkWatcher(NetlinkSocket socket, string name, Handler changed)
    {
        _socket = socket;
        _changed = changed;
        _thread = new Thread(Listen) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Takes the messages of one event; empty when events were lost. Called on a thread of the watcher's own; must return soon and not throw.</summary>
    public delegate void Handler(ReadOnlySpan<byte> datagram);

    /// <summary>Watches links only.</summary>
    /// <inheritdoc cref="OfRoutes"/>
    public static NetlinkWatcher OfLinks(string? netns, Handler changed) =>
        new(Open(netns, NetlinkSocket.Route, GroupLink), "netlink links", changed);

    /// <summary>Watches links, addresses and routes.</summary>
    /// <param name="netns">Path of the namespace; null: the caller's.</param>
    /// <param name="changed">Takes the events.</param>
    public static NetlinkWatcher OfRoutes(string? netns, Handler changed) =>
        new(Open(netns, NetlinkSocket.Route, GroupLink, GroupIpv4Address, GroupIpv4Route, GroupIpv6Address, GroupIpv6Route), "netlink routes", changed);

    /// <summary>Watches nftables.</summary>
    /// <inheritdoc cref="OfRoutes"/>
    public static NetlinkWatcher OfNftables(string? netns, Handler changed) =>
        new(Open(netns, NetlinkSocket.Netfilter, GroupNftables), "netlink nftables", changed);

    /// <summary>Ends the watch; afterwards nothing is called any more.</summary>
    public void Dispose()
    {
        ulong one = 1;
        _ = LinuxNative.Write(_stop, &one, sizeof(ulong));
        _thread.Join();
        _socket.Dispose();
        _stop.Dispose();
    }

    private static NetlinkSocket Open(string? netns, int protocol, params int[] groups) => NetworkNamespace.Run(netns, () => NetlinkSocket.Open(protocol, groups));

    private void Listen()
    {
        var descriptors = stackalloc LinuxNative.PollDescriptor[2];
        descriptors[0] = new LinuxNative.PollDescriptor { Descriptor = (int)_socket.Handle.DangerousGetHandle(), Events = LinuxNative.PollIn };
        descriptors[1] = new LinuxNative.PollDescriptor { Descriptor = (int)_stop.DangerousGetHandle(), Events = LinuxNative.PollIn };
        while (true)
        {
            if (LinuxNative.Poll(descriptors, 2, -1) < 0)
            {
                if (Marshal.GetLastPInvokeError() == Errno.Interrupted)
                {
                    continue;
                }

                throw NetlinkException.FromLastError("wait for netlink events");
            }

            if (descriptors[1].Returned != 0)
            {
                return;
            }

            _changed(Receive());
        }
    }

    private ReadOnlySpan<byte> Receive()
    {
        try
        {
            return _socket.Receive("read netlink events");
        }
        catch (NetlinkException e) when (e.ErrorNumber is Errno.NoBuffers or Errno.TryAgain)
        {
            // Events were lost; that something changed is what counts.
            return [];
        }
    }
}
