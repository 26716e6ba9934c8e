using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Weft.Lab.Probes;

/// <summary>The call <c>grpc.health.v1.Health/Check</c>, HTTP/2 without TLS: what kubelet's gRPC probe asks and a server answers.</summary>
/// <remarks>The messages have one field each (protobuf): HealthCheckRequest.service = 1, a string; HealthCheckResponse.status = 1, an enum.
/// A gRPC message goes after a byte that says "not compressed" and four of its length.</remarks>
public static class GrpcHealth
{
    /// <summary>Where the call is.</summary>
    public const string Path = "/grpc.health.v1.Health/Check";

    /// <summary>Its media type.</summary>
    public const string MediaType = "application/grpc";

    private const int PrefixLength = 5;
    private const byte Service = 0x0a;
    private const byte Status = 0x08;
    private const byte Serving = 1;
    private const byte NotServing = 2;

    /// <summary>Asks; true when the answer is SERVING, and nothing else is.</summary>
    /// <param name="client">Connects where the server is.</param>
    /// <param name="authority">The server, as <c>host:port</c>.</param>
    /// <param name="service">Which service is meant; empty: the server as a whole. At most 127 bytes.</param>
    /// <param name="ct">Ends the waiting.</param>
    /// <exception cref="HttpRequestException">There is no HTTP/2 server.</exception>
    public static async Task<bool> CheckAsync(HttpClient client, string authority, string service, CancellationToken ct)
    {
        var name = Encoding.UTF8.GetBytes(service);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{authority}{Path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(name.Length == 0 ? [] : [Service, checked((byte)name.Length), .. name])),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaType);
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await client.SendAsync(request, ct);
        var answer = await response.Content.ReadAsByteArrayAsync(ct);
        return response.StatusCode == HttpStatusCode.OK
            && response.TrailingHeaders.TryGetValues("grpc-status", out var code) && code.Single() == "0"
            && answer is [0, _, _, _, 2, Status, Serving];
    }

    /// <summary>The service that a request names; null when it is no request of this call.</summary>
    public static string? ReadRequest(ReadOnlySpan<byte> request) => request switch
    {
        [0, 0, 0, 0, 0] => "",
        [0, _, _, _, _, Service, var length, .. var name] when length == name.Length => Encoding.UTF8.GetString(name),
        _ => null,
    };

    /// <summary>The answer.</summary>
    public static byte[] Answer(bool isServing) => Frame([Status, isServing ? Serving : NotServing]);

    private static byte[] Frame(ReadOnlySpan<byte> message)
    {
        var frame = new byte[PrefixLength + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame.AsSpan(PrefixLength));
        return frame;
    }
}
