using System.Text;

namespace Weft.Ovsdb;

/// <summary>Text from a stream of UTF-8 that never waits while it has something to give.</summary>
/// <remarks><see cref="StreamReader"/> asks the stream again when one read filled its buffer exactly, which waits for ever at the end of a message.</remarks>
internal sealed class Utf8StreamText(Stream stream) : TextReader
{
    private readonly byte[] _bytes = new byte[32 * 1024];
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
    private int _start;
    private int _end;

    /// <inheritdoc/>
    /// <exception cref="OvsdbProtocolException">The bytes are not UTF-8.</exception>
    public override int Read(char[] buffer, int index, int count)
    {
        if (count == 0)
        {
            return 0;
        }

        while (true)
        {
            if (_start == _end)
            {
                _start = 0;
                _end = stream.Read(_bytes);
                if (_end == 0)
                {
                    return 0;
                }
            }

            try
            {
                _decoder.Convert(_bytes, _start, _end - _start, buffer, index, count, flush: false, out var used, out var chars, out _);
                _start += used;
                if (chars > 0)
                {
                    return chars;
                }
            }
            catch (ArgumentException e)
            {
                throw new OvsdbProtocolException($"not UTF-8: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public override int Read()
    {
        var one = new char[1];
        return Read(one, 0, 1) == 1 ? one[0] : -1;
    }

    /// <inheritdoc/>
    public override int Peek() => -1;
}
