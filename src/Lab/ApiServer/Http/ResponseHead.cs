using System.Globalization;
using System.Text;

namespace Weft.Lab.ApiServer;

/// <summary>The status line and headers of an HTTP/1.1 answer, RFC 9112.</summary>
internal sealed record ResponseHead(int Status, List<KeyValuePair<string, string>> Headers)
{
    private const int LargestHead = 64 << 10;

    /// <summary>Reads exactly the head: what follows stays in the stream.</summary>
    /// <exception cref="ApiException">502: it is no HTTP answer.</exception>
    public static async Task<ResponseHead> ReadAsync(Stream stream, CancellationToken stop)
    {
        var bytes = new List<byte>(256);
        var one = new byte[1];
        while (bytes.Count < LargestHead && await stream.ReadAsync(one, stop) == 1)
        {
            bytes.Add(one[0]);
            if (one[0] == '\n' && bytes.Count > 3 && bytes[^2] == '\r' && bytes[^3] == '\n')
            {
                var lines = Encoding.Latin1.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
                if (lines[0].Split(' ') is ["HTTP/1.1" or "HTTP/1.0", var code, ..] && int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
                {
                    return new ResponseHead(status, [.. lines.Skip(1).Select(l => l.Split(':', 2)).Where(p => p.Length == 2).Select(p => KeyValuePair.Create(p[0], p[1].Trim()))]);
                }

                break;
            }
        }

        throw new ApiException(502, "BadGateway", "the kubelet did not answer in HTTP");
    }

    /// <summary>The body, without its chunk marks.</summary>
    public Stream Body(Stream stream) =>
        Headers.Any(h => h.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) && h.Value.Contains("chunked", StringComparison.OrdinalIgnoreCase))
            ? new ChunkedStream(stream) : stream;

    /// <summary>Reads chunked transfer coding, RFC 9112 7.1.</summary>
    private sealed class ChunkedStream(Stream inner) : Stream
    {
        private long _left;
        private bool _ended;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0 && !_ended)
            {
                var line = await LineAsync(cancellationToken);
                line = line.Length == 0 ? await LineAsync(cancellationToken) : line;
                _left = long.TryParse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var size) ? size : 0;
                _ended = _left == 0;
            }

            if (_ended)
            {
                return 0;
            }

            var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= read;
            _ended = read == 0;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private async Task<string> LineAsync(CancellationToken stop)
        {
            var text = new StringBuilder();
            var one = new byte[1];
            while (await inner.ReadAsync(one, stop) == 1 && one[0] != '\n')
            {
                if (one[0] != '\r')
                {
                    text.Append((char)one[0]);
                }
            }

            return text.ToString();
        }
    }
}
