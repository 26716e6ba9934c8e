using System.Globalization;
using Weft.Topology;

namespace Weft.Ctl.WhatIf;

/// <summary>A destination port that is asked for.</summary>
/// <param name="Number">1 to 65535.</param>
/// <param name="Protocol">The protocol.</param>
public readonly record struct PortQuestion(int Number, Protocol Protocol) : IComparable<PortQuestion>
{
    /// <summary>The name that Kubernetes gives the protocol.</summary>
    public string ProtocolName => Protocol.ToString().ToUpperInvariant();

    /// <summary>Reads <c>80</c>, <c>80/TCP</c>, <c>53/udp</c>.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static PortQuestion Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var protocol = slash < 0 ? "TCP" : text[(slash + 1)..].ToUpperInvariant();
        var known = protocol is "TCP" or "UDP" or "SCTP" ? Enum.Parse<Protocol>(protocol, ignoreCase: true) : (Protocol?)null;
        return known is { } p && int.TryParse(slash < 0 ? text : text[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536
            ? new PortQuestion(number, p)
            : throw new FormatException($"port '{text}': write NUMBER/PROTOCOL with a number of 1 to 65535 and TCP, UDP or SCTP, for example 80/TCP");
    }

    /// <inheritdoc/>
    public int CompareTo(PortQuestion other) => (Number, (int)Protocol).CompareTo((other.Number, (int)other.Protocol));

    /// <inheritdoc/>
    public override string ToString() => $"{Number}/{ProtocolName}";
}
