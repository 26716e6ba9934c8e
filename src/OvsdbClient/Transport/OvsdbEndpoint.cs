using System.Globalization;
using System.Net;

namespace Weft.Ovsdb;

/// <summary>How a connection is made.</summary>
public enum EndpointKind
{
    /// <summary>A unix socket, <c>unix:PATH</c>.</summary>
    Unix,

    /// <summary>Plain TCP, <c>tcp:HOST[:PORT]</c>.</summary>
    Tcp,

    /// <summary>TLS, <c>ssl:HOST[:PORT]</c>.</summary>
    Tls,
}

/// <summary>An OVSDB connection method as ovsdb(7) writes it: <c>unix:</c>, <c>tcp:</c>, <c>ssl:</c>, or with a leading <c>p</c> to listen.</summary>
/// <param name="Kind">How the connection is made.</param>
/// <param name="Address">The path, the host or, for a listener, the local address.</param>
/// <param name="Port">The TCP port; 0 for unix sockets, or to let the system choose a listener's port.</param>
/// <param name="IsPassive">True to listen and let the server connect.</param>
public sealed record OvsdbEndpoint(EndpointKind Kind, string Address, int Port, bool IsPassive)
{
    /// <summary>The port that IANA assigned to OVSDB.</summary>
    public const int DefaultPort = 6640;

    /// <summary>A unix socket.</summary>
    public static OvsdbEndpoint Unix(string path) => new(EndpointKind.Unix, path, 0, false);

    /// <summary>Reads a connection method.</summary>
    /// <exception cref="FormatException">It is none; the message says what is expected.</exception>
    public static OvsdbEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var method = colon < 0 ? text : text[..colon];
        var rest = colon < 0 ? "" : text[(colon + 1)..];
        var passive = method.StartsWith('p');
        switch (passive ? method[1..] : method)
        {
            case "unix" when rest.Length > 0:
                return new OvsdbEndpoint(EndpointKind.Unix, rest, 0, passive);
            case "tcp" or "ssl" when passive:
                return Listener(text, method, rest);
            case "tcp" or "ssl" when rest.Length > 0:
                var (host, port) = SplitHost(text, rest);
                return new OvsdbEndpoint(method == "tcp" ? EndpointKind.Tcp : EndpointKind.Tls, host, port ?? DefaultPort, false);
            default:
                throw new FormatException(
                    $"\"{text}\" is no OVSDB connection method: write unix:PATH, tcp:HOST[:PORT], ssl:HOST[:PORT], punix:PATH, ptcp:[PORT][:IP] or pssl:[PORT][:IP]");
        }
    }

    /// <summary>Reads several connection methods separated by commas.</summary>
    /// <exception cref="FormatException">One of them is none.</exception>
    public static IReadOnlyList<OvsdbEndpoint> ParseList(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];

    /// <summary>The connection method in the form that <see cref="Parse"/> reads.</summary>
    public override string ToString()
    {
        var host = Address.Contains(':', StringComparison.Ordinal) ? $"[{Address}]" : Address;
        var name = Kind == EndpointKind.Unix ? "unix" : Kind == EndpointKind.Tcp ? "tcp" : "ssl";
        return (Kind, IsPassive) switch
        {
            (EndpointKind.Unix, _) => $"{(IsPassive ? "p" : "")}unix:{Address}",
            (_, true) => $"p{name}:{Port}:{host}",
            _ => $"{name}:{host}:{Port}",
        };
    }

    private static OvsdbEndpoint Listener(string text, string method, string rest)
    {
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        var port = colon < 0 ? rest : rest[..colon];
        var address = colon < 0 ? "0.0.0.0" : rest[(colon + 1)..].Trim('[', ']');
        return new OvsdbEndpoint(
            method == "ptcp" ? EndpointKind.Tcp : EndpointKind.Tls,
            IPAddress.TryParse(address, out _) ? address : throw new FormatException($"\"{address}\" in \"{text}\" is no IP address to listen on"),
            port.Length == 0 ? DefaultPort : ParsePort(text, port), true);
    }

    private static (string Host, int? Port) SplitHost(string text, string rest)
    {
        if (rest.StartsWith('['))
        {
            var end = rest.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
            {
                throw new FormatException($"\"{text}\" lacks the ] after an IPv6 address");
            }

            return (rest[1..end], end + 1 == rest.Length ? null : ParsePort(text, rest[(end + 2)..]));
        }

        var colon = rest.LastIndexOf(':');
        return colon < 0 || rest.IndexOf(':', StringComparison.Ordinal) != colon ? (rest, null) : (rest[..colon], ParsePort(text, rest[(colon + 1)..]));
    }

    private static int ParsePort(string text, string port) =>
        ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"\"{port}\" in \"{text}\" is no port: write a number from 0 to 65535");
}
