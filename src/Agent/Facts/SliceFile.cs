using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>Keeps the last slice on disk, as the frames of a snapshot, so that an agent can start when no controller answers.</summary>
public sealed partial class SliceFile(string path, ILogger<SliceFile> logger)
{
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
            foreach (var line in File.ReadLines(path, Encoding.UTF8))
            {
                builder.Take(JsonSerializer.Deserialize(line, TopologyJson.Default.Frame) ?? throw new JsonException("a frame is null"));
            }

            if (builder.Current.IsKnown)
            {
                return builder.Current;
            }

            LogDamaged(logger, path, "it ends before its snapshot does");
        }
        catch (Exception e) when (e is JsonException or StreamProtocolException or IOException or UnauthorizedAccessException)
        {
            LogDamaged(logger, path, e.Message);
        }

        return Slice.Empty;
    }

    /// <summary>Replaces the file as a whole: a crash leaves the old or the new one.</summary>
    public void Write(Slice slice)
    {
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
        }

        File.Move(next, path, overwrite: true);
    }

    private static void WriteFrame(Stream stream, Frame frame)
    {
        JsonSerializer.Serialize(stream, frame, TopologyJson.Default.Frame);
        stream.WriteByte((byte)'\n');
    }

    [LoggerMessage(3600, LogLevel.Warning, "The saved node state {Path} cannot be used ({Reason}); waiting for the controller's snapshot")]
    private static partial void LogDamaged(ILogger logger, string path, string reason);
}
