using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Weft.Lab.Kubelet;

/// <summary>The compressed header blocks of one SPDY/3.1 connection: one zlib stream (RFC 1950) with a dictionary for all of them (SPDY protocol, 2.6.10).</summary>
/// <remarks>.NET's decompressor takes no dictionary. Reading begins therefore with the dictionary as a stored block (RFC 1951, 3.2.4) whose content is thrown
/// away: after it the window holds what the other side assumes. What is sent goes into stored blocks, too.</remarks>
internal sealed class SpdyHeaders : IDisposable
{
    /// <summary>More than that is no header block of kubectl's.</summary>
    private const int LongestName = 16 << 10;

    private static readonly byte[] Dictionary = MakeDictionary();

    private readonly MemoryStream _compressed = new();
    private readonly DeflateStream _inflate;
    private bool _isReading;

    public SpdyHeaders() => _inflate = new DeflateStream(_compressed, CompressionMode.Decompress);

    /// <summary>The answer without headers that a SYN_REPLY of kubelet is, as the first of a connection.</summary>
    public static ReadOnlyMemory<byte> FirstEmpty { get; } = (byte[])[0x78, 0x20, 0xe3, 0xc6, 0xa7, 0xc2, .. Empty.Span];

    /// <summary>The answer without headers, later on: a stored block with the number 0, and an empty one, at which zlib hands out what it has.</summary>
    public static ReadOnlyMemory<byte> Empty => (byte[])[0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

    /// <summary>Reads the next block of the connection.</summary>
    /// <exception cref="InvalidDataException">It is not what the protocol says.</exception>
    public IReadOnlyDictionary<string, string> Read(ReadOnlySpan<byte> block)
    {
        _compressed.SetLength(0);
        if (!_isReading)
        {
            if (block is not [0x78, var flags, 0xe3, 0xc6, 0xa7, 0xc2, ..] || (flags & 0x20) == 0)
            {
                throw new InvalidDataException("SPDY: the first header block does not begin as a zlib stream with the dictionary of SPDY/3");
            }

            _compressed.Write([0, (byte)Dictionary.Length, (byte)(Dictionary.Length >> 8), (byte)~Dictionary.Length, (byte)(~Dictionary.Length >> 8)]);
            _compressed.Write(Dictionary);
            block = block[6..];
        }

        _compressed.Write(block);
        _compressed.Position = 0;
        if (!_isReading)
        {
            Exactly(Dictionary.Length);
            _isReading = true;
        }

        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var left = Number(); left > 0; left--)
        {
            var name = Encoding.ASCII.GetString(Exactly(Number()));
            headers[name] = Encoding.ASCII.GetString(Exactly(Number()));
        }

        return headers;
    }

    public void Dispose() => _inflate.Dispose();

    private int Number()
    {
        var number = BinaryPrimitives.ReadInt32BigEndian(Exactly(4));
        return number is >= 0 and <= LongestName ? number : throw new InvalidDataException($"SPDY: a header of {(uint)number} bytes");
    }

    private byte[] Exactly(int count)
    {
        var bytes = new byte[count];
        try
        {
            _inflate.ReadExactly(bytes);
            return bytes;
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("SPDY: a header block is cut short", e);
        }
    }

    // Words with their lengths, then values; 1423 bytes, Adler-32 0xe3c6a7c2.
    private static byte[] MakeDictionary()
    {
        string[] words =
        [
            "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "age", "allow",
            "authorization", "cache-control", "connection", "content-base", "content-encoding", "content-language", "content-length", "content-location", "content-md5",
            "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
            "if-unmodified-since", "last-modified", "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer", "retry-after",
            "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK",
            "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
        ];
        const string Values =
            "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content"
            + "301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
            + "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
            + "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
        return [.. words.SelectMany(w => (byte[])[0, 0, 0, (byte)w.Length, .. Encoding.ASCII.GetBytes(w)]), .. Encoding.ASCII.GetBytes(Values)];
    }
}
