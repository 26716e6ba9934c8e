using System.Text;

namespace Weft.Agent.Names;

/// <summary>Names as DNS messages hold them, compressed or not (RFC 1035 sections 3.1 and 4.1.4).</summary>
internal static class DnsWireName
{
    private const int LongestName = 255;
    private const int PointerMark = 0xc0;

    /// <summary>Reads a name.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="at">Where it begins; then, where what follows begins.</param>
    /// <param name="name">Lower case, without the last dot; null for a name that no host has (other bytes than letters, digits, hyphens and underscores), which could pass for another.</param>
    /// <returns>False when it is no name; a pointer leads to earlier bytes only, so every name ends.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int at, out string? name)
    {
        name = null;
        var text = new StringBuilder();
        var (position, limit, end, isHost) = (at, at, -1, true);
        while (position < message.Length)
        {
            var length = message[position];
            if (length == 0)
            {
                at = end < 0 ? position + 1 : end;
                name = isHost && text.Length > 0 ? text.ToString() : null;
                return true;
            }

            if ((length & PointerMark) == PointerMark)
            {
                if (position + 1 >= message.Length)
                {
                    return false;
                }

                end = end < 0 ? position + 2 : end;
                var target = ((length & ~PointerMark) << 8) | message[position + 1];
                if (target >= limit)
                {
                    return false;
                }

                position = limit = target;
                continue;
            }

            // The two other marks are of extensions that nobody uses any more.
            if ((length & PointerMark) != 0 || position + 1 + length > message.Length || text.Length + length + 1 > LongestName)
            {
                return false;
            }

            text.Append(text.Length > 0 ? "." : "");
            foreach (var b in message.Slice(position + 1, length))
            {
                isHost &= char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_';
                text.Append(char.ToLowerInvariant((char)b));
            }

            position += length + 1;
        }

        return false;
    }
}
