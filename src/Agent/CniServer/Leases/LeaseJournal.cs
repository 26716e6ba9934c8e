using Microsoft.Win32.SafeHandles;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer.Leases;

/// <summary>
/// A file of <see cref="LeaseRecord"/> lines that only grows until it is rewritten. What <see cref="Append"/> wrote survives kill -9, and what
/// <see cref="Sync"/> confirmed survives power loss at any moment: a line that was cut or damaged fails its checksum and is skipped.
/// </summary>
internal sealed class LeaseJournal : IDisposable
{
    private readonly string _path;
    private SafeFileHandle _file;
    private long _length;
    private (long Bytes, int Records) _synced;
    private bool _tailIsDamaged;

    private LeaseJournal(string path, SafeFileHandle file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Lines in the file.</summary>
    public int RecordCount { get; private set; }

    /// <summary>Opens or creates the file, for one process at a time.</summary>
    /// <param name="path">Its folder is made when missing.</param>
    /// <param name="records">The whole lines, in order.</param>
    /// <param name="damaged">The number of lines that were skipped.</param>
    /// <exception cref="IOException">Another agent has it open, or the disk fails.</exception>
    public static LeaseJournal Open(string path, out IReadOnlyList<LeaseRecord> records, out int damaged)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var journal = new LeaseJournal(path, file);
        try
        {
            SyncFolder(folder);
            records = journal.ReadAll(out damaged);
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Adds records behind each other.</summary>
    /// <param name="records">What to add.</param>
    /// <exception cref="IOException">Nothing of it counts (disk full, for example).</exception>
    public void Append(IReadOnlyList<LeaseRecord> records)
    {
        var bytes = records.SelectMany(r => r.Encode()).ToArray();
        try
        {
            if (_tailIsDamaged)
            {
                RandomAccess.SetLength(_file, _length);
                _tailIsDamaged = false;
            }

            RandomAccess.Write(_file, bytes, _length);
        }
        catch (IOException)
        {
            _tailIsDamaged = true;
            throw;
        }

        _length += bytes.Length;
        RecordCount += records.Count;
    }

    /// <summary>Returns after the disk has everything that was added.</summary>
    /// <exception cref="IOException">What was added since the last time that this returned does not count.</exception>
    public void Sync()
    {
        try
        {
            RandomAccess.FlushToDisk(_file);
            _synced = (_length, RecordCount);
        }
        catch (IOException)
        {
            (_length, RecordCount) = _synced;
            _tailIsDamaged = true;
            throw;
        }
    }

    /// <summary>Puts <paramref name="records"/> in place of everything. At any moment either the old or the new file is there, whole.</summary>
    public void Rewrite(IReadOnlyList<LeaseRecord> records)
    {
        var temporary = _path + ".new";
        File.Delete(temporary);
        var bytes = records.SelectMany(r => r.Encode()).ToArray();
        var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        try
        {
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
            File.Move(temporary, _path, overwrite: true);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        _file.Dispose();
        _file = file;
        _length = bytes.Length;
        _tailIsDamaged = false;
        RecordCount = records.Count;
        _synced = (_length, RecordCount);
    }

    public void Dispose() => _file.Dispose();

    private List<LeaseRecord> ReadAll(out int damaged)
    {
        var content = new byte[RandomAccess.GetLength(_file)];
        for (var read = 0; read < content.Length;)
        {
            var count = RandomAccess.Read(_file, content.AsSpan(read), read);
            read = count > 0 ? read + count : throw new EndOfStreamException($"{_path} became shorter while it was read");
        }

        damaged = 0;
        var records = new List<LeaseRecord>();
        var rest = content.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            if (end >= 0 && LeaseRecord.Decode(rest[..end]) is { } record)
            {
                records.Add(record);
            }
            else
            {
                // A later line can be whole: skipping it would free an address that is in use.
                damaged++;
            }

            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        _length = content.Length;
        RecordCount = records.Count + damaged;
        _synced = (_length, RecordCount);
        return records;
    }

    /// <summary>Makes a file's name durable, not only its content (fsync(2)).</summary>
    private static void SyncFolder(string folder)
    {
        using var handle = LinuxNative.OpenForReading(folder);
        if (handle.IsInvalid || LinuxNative.Fsync(handle) != 0)
        {
            throw new IOException(NetlinkException.FromLastError($"sync folder {folder}").Message);
        }
    }
}
