using System.Buffers;
using System.Globalization;
using System.Text;

namespace Weft.Lab.ApiServer;

/// <summary>One line of the journal: an object (its text) or its removal (null).</summary>
public sealed record JournalEntry(string StorageKey, string Namespace, string Name, long Revision, byte[]? Json);

/// <summary>The append-only file that lets objects survive a restart of the process, also one by <c>kill -9</c>.</summary>
/// <remarks>A line is <c>storageKey TAB namespace TAB name TAB revision TAB json LF</c>; JSON text has no raw line feed or tab.
/// A write is handed to the kernel before the client gets its answer; there is no fsync, so a power cut may lose the last ones.
/// A last line without its line feed is a write that nobody was told of: it is cut off. Not safe for concurrent use.</remarks>
public sealed class Journal(string path) : IDisposable
{
    /// <summary>The file is never rewritten while it is smaller than this.</summary>
    private const long SmallestToCompact = 64L << 20;

    private readonly ArrayBufferWriter<byte> _line = new(4096);
    private FileStream? _file;
    private long _sizeAfterCompaction;

    /// <summary>Most of the file is history of objects that changed since.</summary>
    public bool ShouldCompact => _file is not null && _file.Position > Math.Max(SmallestToCompact, 4 * _sizeAfterCompaction);

    /// <summary>Reads every entry in the order of writing and opens the file for appending after the last one is taken.</summary>
    /// <exception cref="InvalidDataException">A line in the middle is damaged; the message gives file and line.</exception>
    public IEnumerable<JournalEntry> Open()
    {
        _file?.Dispose();
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        var good = 0L;
        var number = 0;
        using (var lines = new LineReader(_file))
        {
            while (lines.Next(out var line))
            {
                number++;
                yield return ReadLine(line.Span, number);
                good = lines.Position;
            }
        }

        _file.SetLength(good);
        _file.Position = good;
    }

    public void Put(string storageKey, StoredObject item) => Append(storageKey, item, item.Utf8);

    public void Delete(string storageKey, StoredObject last) => Append(storageKey, last, []);

    /// <summary>Rewrites the file with exactly these objects; the old file stays until the new one is complete.</summary>
    public void Compact(IEnumerable<(string StorageKey, StoredObject Object)> live)
    {
        var fresh = path + ".new";
        using (var writer = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20))
        {
            foreach (var (key, item) in live)
            {
                Format(key, item, item.Utf8);
                writer.Write(_line.WrittenSpan);
            }
        }

        _file?.Dispose();
        File.Move(fresh, path, overwrite: true);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _sizeAfterCompaction = _file.Position;
    }

    public void Dispose() => _file?.Dispose();

    private void Append(string storageKey, StoredObject item, ReadOnlySpan<byte> json)
    {
        Format(storageKey, item, json);
        (_file ?? throw new InvalidOperationException("the journal is not open")).Write(_line.WrittenSpan);
    }

    private void Format(string storageKey, StoredObject item, ReadOnlySpan<byte> json)
    {
        _line.ResetWrittenCount();
        var head = string.Create(CultureInfo.InvariantCulture, $"{storageKey}\t{item.Namespace}\t{item.Name}\t{item.Revision}\t");
        Encoding.UTF8.GetBytes(head, _line);
        _line.Write(json);
        _line.Write("\n"u8);
    }

    private JournalEntry ReadLine(ReadOnlySpan<byte> line, int number)
    {
        var fields = new string[4];
        for (var i = 0; i < 4; i++)
        {
            var tab = line.IndexOf((byte)'\t');
            if (tab < 0)
            {
                throw new InvalidDataException($"{path}:{number}: not a journal line; move the file away to start empty");
            }

            fields[i] = Encoding.UTF8.GetString(line[..tab]);
            line = line[(tab + 1)..];
        }

        return long.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? new JournalEntry(fields[0], fields[1], fields[2], revision, line.IsEmpty ? null : line.ToArray())
            : throw new InvalidDataException($"{path}:{number}: \"{fields[3]}\" is no revision; move the file away to start empty");
    }

    /// <summary>Whole lines of a file, without the line feed; what follows the last one is not given out.</summary>
    private sealed class LineReader(FileStream file) : IDisposable
    {
        private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        private int _start;
        private int _end;

        /// <summary>The place in the file after the last line given out.</summary>
        public long Position { get; private set; }

        public bool Next(out ReadOnlyMemory<byte> line)
        {
            while (true)
            {
                var length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
                if (length >= 0)
                {
                    line = _buffer.AsMemory(_start, length);
                    _start += length + 1;
                    Position += length + 1;
                    return true;
                }

                if (!Fill())
                {
                    line = default;
                    return false;
                }
            }
        }

        public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

        private bool Fill()
        {
            var left = _end - _start;
            if (left == _buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
                _buffer.CopyTo(larger, 0);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }
            else if (_start > 0)
            {
                Buffer.BlockCopy(_buffer, _start, _buffer, 0, left);
                (_start, _end) = (0, left);
            }

            var read = file.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            return read > 0;
        }
    }
}
