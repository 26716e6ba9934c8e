using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Cni.Tests;

/// <summary>An agent's socket that answers every question with fixed bytes and keeps what it was asked.</summary>
internal sealed class FakeAgent : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("weft-cni-");
    private readonly Task _serving;

    public FakeAgent(string answer)
    {
        SocketPath = Path.Combine(_directory.FullName, "cni.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen();
        _serving = Task.Run(() => Serve(Encoding.UTF8.GetBytes(answer)));
    }

    public string SocketPath { get; }

    public List<CniRequest> Asked { get; } = [];

    public static string Answer(int exitCode, string output) =>
        JsonSerializer.Serialize(new CniReply { ExitCode = exitCode, Output = output }, JsonSerializerOptions.Web) + "\n";

    public void Dispose()
    {
        _listener.Dispose();
        _serving.Wait();
        _directory.Delete(recursive: true);
    }

    private void Serve(byte[] answer)
    {
        while (true)
        {
            try
            {
                using var peer = _listener.Accept();
                using var stream = new NetworkStream(peer);
                var line = new StreamReader(stream).ReadLine() ?? "";
                Asked.Add(JsonSerializer.Deserialize<CniRequest>(line, JsonSerializerOptions.Web)!);
                stream.Write(answer);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Disposed: nobody asks any more.
                return;
            }
        }
    }
}
