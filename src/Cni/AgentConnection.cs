using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Cni;

/// <summary>A connection to the agent's unix socket.</summary>
internal sealed unsafe class AgentConnection : IDisposable
{
    // struct sockaddr_un: u16 family, then the path with its zero.
    private const int LongestAddress = 110;
    private readonly int _socket;

    /// <param name="path">At most 107 bytes of UTF-8.</param>
    /// <param name="patience">How long to wait for the agent at each step.</param>
    /// <exception cref="IOException">Nobody listens there.</exception>
    public AgentConnection(string path, TimeSpan patience)
    {
        _socket = Libc.Socket(Libc.AfUnix, Libc.StreamCloexec, 0);
        byte* address = stackalloc byte[LongestAddress];
        new Span<byte>(address, LongestAddress).Clear();
        *(ushort*)address = Libc.AfUnix;
        var length = Encoding.UTF8.GetBytes(path, new Span<byte>(address + 2, LongestAddress - 3));
        long* limit = stackalloc long[] { (long)patience.TotalSeconds, 0 };
        Check(_socket);
        try
        {
            Check(Libc.SetSocketOption(_socket, Libc.SolSocket, Libc.ReceiveTimeout, limit, 2 * sizeof(long)));
            Check(Libc.SetSocketOption(_socket, Libc.SolSocket, Libc.SendTimeout, limit, 2 * sizeof(long)));
            Check(Libc.Connect(_socket, address, (uint)(2 + length + 1)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The agent went away, or did not take it in time.</exception>
    public void Send(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            fixed (byte* start = data)
            {
                data = data[(int)Transferred(Libc.Send(_socket, start, (nuint)data.Length, Libc.NoSignal))..];
            }
        }
    }

    /// <returns>The number of bytes; 0 when the agent has closed the connection.</returns>
    /// <exception cref="IOException">The agent went away, or did not answer in time.</exception>
    public int Receive(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var read = Libc.Read(_socket, start, (nuint)buffer.Length);
                if (read >= 0 || Marshal.GetLastPInvokeError() != Libc.Interrupted)
                {
                    return (int)Transferred(read);
                }
            }
        }
    }

    public void Dispose() => _ = Libc.Close(_socket);

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new IOException(Libc.LastError);
        }
    }

    private static nint Transferred(nint count) => count >= 0 ? count : Marshal.GetLastPInvokeError() switch
    {
        Libc.Interrupted => 0,
        Libc.TryAgain => throw new IOException("no answer in time"),
        _ => throw new IOException(Libc.LastError),
    };
}
