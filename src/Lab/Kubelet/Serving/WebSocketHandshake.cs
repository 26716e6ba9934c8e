using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Weft.Lab.Kubelet;

/// <summary>The server's half of RFC 6455, section 4.2.</summary>
/// <remarks>The framework's own refuses kubectl's <c>SPDY/3.1+portforward.k8s.io</c>: a slash is none of RFC 2616's token characters.</remarks>
internal static class WebSocketHandshake
{
    private const string Accepted = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Switches to a WebSocket of the protocol; null when the client does not ask for one.</summary>
    public static async Task<WebSocket?> TryAcceptAsync(HttpContext http, string protocol)
    {
        var request = http.Request.Headers;
        if (http.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade
            || !string.Equals(request.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase)
            || request.SecWebSocketKey is not [{ Length: > 0 } key]
            || !request.GetCommaSeparatedValues("Sec-WebSocket-Protocol").Contains(protocol))
        {
            return null;
        }

        var response = http.Response.Headers;
        response.Upgrade = "websocket";
        response.SecWebSocketAccept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Accepted)));
        response.SecWebSocketProtocol = protocol;
        return WebSocket.CreateFromStream(await upgrade.UpgradeAsync(), new WebSocketCreationOptions { IsServer = true });
    }
}
