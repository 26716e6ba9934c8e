using System.Net;
using System.Net.Sockets;

namespace Weft.Lab.Net;

/// <summary>Carries TCP connections from inside a namespace to a server that this process reaches.</summary>
public static class Forwarder
{
    /// <summary>Listens on <paramref name="server"/>'s own address inside <paramref name="netns"/>, so that nobody there needs to know; runs until cancelled.</summary>
    public static async Task RunAsync(Netns netns, IPEndPoint server, CancellationToken ct)
    {
        using var listener = await netns.RunInsideAsync(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(server);
        listener.Listen();
        while (!ct.IsCancellationRequested)
        {
            try
            {
                _ = CarryAsync(await listener.AcceptAsync(ct), server, ct);
            }
            catch (OperationCanceledException)
            {
                // Asked to end.
            }
        }
    }

    private static async Task CarryAsync(Socket client, IPEndPoint server, CancellationToken ct)
    {
        try
        {
            using var near = new NetworkStream(client, ownsSocket: true);
            using var upstream = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await upstream.ConnectAsync(server, ct);
            using var far = new NetworkStream(upstream, ownsSocket: false);
            // One side's end is the other's: HTTP needs no half-closed connections.
            await Task.WhenAny(near.CopyToAsync(far, ct), far.CopyToAsync(near, ct));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            Console.WriteLine($"connection to {server} ended: {e.Message}");
        }
    }
}
