using System.Net;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host.Isolation;

/// <summary>Tries what the rules should refuse to this process.</summary>
internal static class IsolationCheck
{
    private const int DiscardPort = 9;

    /// <summary>Whether a datagram of this process to a loopback address is refused as it is sent. Takes microseconds; nothing leaves the node.</summary>
    /// <param name="netns">Path of the node's network namespace; null: the process's own.</param>
    /// <param name="address">One of the checks' addresses.</param>
    /// <exception cref="IsolationException">It could not be tried.</exception>
    public static bool Refuses(string? netns, IPAddress address)
    {
        try
        {
            using var socket = NetworkNamespace.Run(netns, Open);
            socket.SendTo([0], new IPEndPoint(address, DiscardPort));
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            // EPERM: a packet that the output hook drops.
            return true;
        }
        catch (SocketException e)
        {
            throw new IsolationException($"it cannot be verified, a datagram to {address} cannot be sent: {e.Message}; bring the node's loopback interface up with 127.0.0.1/8", e);
        }
    }

    private static Socket Open() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
}
