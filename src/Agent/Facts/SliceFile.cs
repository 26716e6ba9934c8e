using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>Keeps the last slice on disk, as the frames of a snapshot and of what changed since, so that an agent can start when no controller answers.</summary>
/// <remarks>
/// What the switch is told is here first (<see cref="Take"/>), so an agent that starts again never knows less than its switch. What is written survives
/// the agent's own end at any moment; <see cref="Settle"/> makes it survive the machine's. Safe for concurrent use.
/// </remarks>
public sealed partial class SliceFile(string path, ILogger<SliceFile> logger)
{
    /// <summary>Changes are appended until they are as long as the snapshot, or this long.</summary>
    private const long LeastAppended = 64 * 1024;

    private readonly Lock _gate = new();
    private Slice? _written;
    private Slice? _last;
    private bool _unsettled;
    private long _snapshotLength;
    private long _length;

    /// <summary>Why the last <see cref="TrySave"/> did not succeed, with the remedy; null when it did. For readers on any thread.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads the slice.</summary>
    /// <returns>The slice, or <see cref="Slice.Empty"/> when the file is missing or damaged (which is logged: the next snapshot replaces it).</returns>
    public Slice Read()
    {
        if (!File.Exists(path))
        {
            return Slice.Empty;
        }

        try
        {
            var builder = new SliceBuilder(Slice.Empty);
            if (Read(builder, out var isTorn) is { } slice)
            {
                lock (_gate)
                {
                    _last = slice;
                    _written = isTorn ? null : slice;
                    _length = _snapshotLength = new FileInfo(path).Length;
                }

                return slice;
            }

            LogDamaged(logger, path, "it ends before its snapshot does");
        }
        catch (Exception e) when (FrameLine.IsNonsense(e) || e is IOException or UnauthorizedAccessException)
        {
            LogDamaged(logger, path, e.Message);
        }

        return Slice.Empty;
    }

    /// <summary>Brings the file up to the slice; <see cref="Problem"/> tells when it cannot.</summary>
    /// <returns>Whether the slice is on the disk.</returns>
    public bool TrySave(Slice slice)
    {
        try
        {
            Save(slice);
            Problem = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NoteProblem(e.Message);
        }

        return Problem is null;
    }

    /// <summary>Takes a step, before anything follows from it.</summary>
    /// <remarks>When the disk does not take it, the file is removed: an agent that starts without one leaves the switch as it is until a controller
    /// speaks, and one that starts with an old one would not. The next step, or <see cref="Settle"/>, writes it again.</remarks>
    public void Take(SliceChange change)
    {
        lock (_gate)
        {
            _last = change.Slice;
            try
            {
                if (change.Step is { } step && _written is not null)
                {
                    _written = null;
                    Append(step, change.Slice);
                }
                else
                {
                    Save(change.Slice);
                }

                Problem = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Discard(e.Message);
            }
        }
    }

    /// <summary>Makes what was taken durable, and the file short again. To be called about once a second.</summary>
    public void Settle()
    {
        lock (_gate)
        {
            if (_last is null || !_last.IsKnown || (!_unsettled && ReferenceEquals(_last, _written)))
            {
                return;
            }

            _unsettled = false;
            try
            {
                if (!ReferenceEquals(_last, _written) || _length > Math.Max(LeastAppended, 2 * _snapshotLength))
                {
                    Write(_last);
                    Problem = null;
                    return;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Discard(e.Message);
                return;
            }
        }

        SyncToDisk();
    }

    /// <summary>Without the lock: a slow disk must not keep steps from being taken.</summary>
    private void SyncToDisk()
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotSaved(logger, e.Message);
        }
    }

    private void NoteProblem(string reason)
    {
        if (Problem is null)
        {
            LogNotSaved(logger, reason);
        }

        Problem = $"the node state cannot be saved ({reason}): free space in stateDir; a restart without a controller would not know it";
    }

    private void Append(Frame frame, Slice slice)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        WriteFrame(file, frame);
        file.Flush();
        (_written, _length, _unsettled) = (slice, file.Position, true);
    }

    private void Discard(string reason)
    {
        NoteProblem(reason);
        _written = null;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that takes nothing at all: it was told of above.
            LogNotSaved(logger, e.Message);
        }
    }

    /// <summary>Brings the file up to the slice, by appending what is different from the last one written when that is less. A crash leaves the old state or the new one.</summary>
    /// <exception cref="IOException">The disk is full, or does not take it; the next call writes the file as a whole.</exception>
    public void Save(Slice slice)
    {
        using var scope = _gate.EnterScope();
        var written = _written;
        _written = null;
        if (written is null || written.Epoch != slice.Epoch || _length > Math.Max(LeastAppended, 2 * _snapshotLength))
        {
            Write(slice);
            return;
        }

        Append(new Delta(slice.Revision)
        {
            Upserts = slice.Items.Where(i => !written.Items.TryGetValue(i.Key, out var old) || !ReferenceEquals(old, i.Value)).Select(i => i.Value).ToEquatableArray(),
            Deletes = written.Items.Keys.Where(k => !slice.Items.ContainsKey(k)).ToEquatableArray(),
        }, slice);
    }

    /// <summary>Replaces the file as a whole: a crash leaves the old or the new one.</summary>
    public void Write(Slice slice)
    {
        using var scope = _gate.EnterScope();
        var next = path + ".new";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            WriteFrame(file, new SnapshotBegin(slice.Epoch, slice.Revision));
            foreach (var item in slice.Items.Values)
            {
                WriteFrame(file, new SnapshotItem(item));
            }

            WriteFrame(file, new SnapshotEnd(slice.Epoch, slice.Revision));
            file.Flush(flushToDisk: true);
            _length = _snapshotLength = file.Length;
        }

        File.Move(next, path, overwrite: true);
        _written = slice;
    }

    /// <summary>The slice after the last whole line; null when there is no whole snapshot.</summary>
    private Slice? Read(SliceBuilder builder, out bool isTorn)
    {
        isTorn = false;
        string? torn = null;
        // The file as a whole is garbage in a moment; line by line it would live on in the pools of buffers.
        for (ReadOnlySpan<byte> rest = File.ReadAllBytes(path); !rest.IsEmpty;)
        {
            if (torn is not null)
            {
                throw new JsonException(torn);
            }

            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            try
            {
                builder.Take(FrameLine.Parse(line));
            }
            catch (JsonException e) when (builder.Current.IsKnown)
            {
                // The last line of a crash in the middle of Save is no damage; a line behind it is.
                torn = e.Message;
                isTorn = true;
            }
        }

        return builder.Current.IsKnown ? builder.Current : null;
    }

    private static void WriteFrame(Stream stream, Frame frame)
    {
        var buffer = new StreamBuffer(stream);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(writer, frame, TopologyJson.Default.Frame);
        }

        buffer.Flush();
        stream.WriteByte((byte)'\n');
    }

    [LoggerMessage(3731, LogLevel.Warning, "The node state cannot be saved ({Reason}): free space in stateDir; until then a restart without a controller leaves the switch as it is")]
    private static partial void LogNotSaved(ILogger logger, string reason);

    [LoggerMessage(3600, LogLevel.Warning, "The saved node state {Path} cannot be used ({Reason}); waiting for the controller's snapshot")]
    private static partial void LogDamaged(ILogger logger, string path, string reason);
}
