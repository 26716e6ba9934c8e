using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Weft.Agent.Names;

/// <summary>Keeps <see cref="LearnedNames"/> on disk: a file of changes, one a line, that is written anew when most of it is history.</summary>
/// <remarks>
/// It holds what the agent planned with, not what the clock says, so that <c>weft-agent --verify</c> plans the same. Not thread-safe for writers. An
/// agent that is killed loses nothing; a machine that is switched off may lose the last lines, and its pods anyway.
/// </remarks>
public sealed partial class NameJournal(string path, ILogger<NameJournal> logger)
{
    /// <summary>The file's name in the agent's state folder.</summary>
    public const string FileName = "names.ndjson";

    private const long LeastHistory = 256 * 1024;

    private LearnedNames? _written;
    private long _length;
    private long _whole;

    /// <summary>Reads what was written.</summary>
    /// <returns>Nothing when there is no file, or it cannot be read (which is logged). A line that is damaged is left out: names are learned again.</returns>
    public LearnedNames Read()
    {
        try
        {
            return File.Exists(path) ? Parse(File.ReadLines(path, Encoding.UTF8)) : LearnedNames.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, path, e.Message);
            return LearnedNames.Empty;
        }
    }

    /// <summary>The names that lines of such a file say.</summary>
    public static LearnedNames Parse(IEnumerable<string> lines)
    {
        var ports = new Dictionary<string, ImmutableDictionary<NameAddress, LearnedAddress>.Builder>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            if (ReadLine(line) is not { } record || !IPAddress.TryParse(record.Address, out var address))
            {
                continue;
            }

            if (!ports.TryGetValue(record.Port, out var known))
            {
                ports[record.Port] = known = ImmutableDictionary.CreateBuilder<NameAddress, LearnedAddress>();
            }

            var key = new NameAddress(record.Name, address);
            if (record.Until is > 0 and <= Latest)
            {
                known[key] = new LearnedAddress(record.Live, DateTimeOffset.FromUnixTimeMilliseconds(record.Until));
            }
            else
            {
                known.Remove(key);
            }
        }

        return new LearnedNames { ByPort = ports.Where(p => p.Value.Count > 0).ToImmutableDictionary(p => p.Key, p => p.Value.ToImmutable()) };
    }

    /// <summary>Brings the file up to <paramref name="names"/>. A disk that does not take it is logged; the next call writes it as a whole.</summary>
    public void Save(LearnedNames names)
    {
        if (ReferenceEquals(names, _written))
        {
            return;
        }

        var before = _written;
        _written = null;
        try
        {
            if (before is null || _length > LeastHistory + (2 * _whole))
            {
                Rewrite(names);
            }
            else
            {
                using var file = new FileStream(path, FileMode.Append, FileAccess.Write);
                file.Write(Lines(before, names));
                _length = file.Position;
            }

            _written = names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotSaved(logger, path, e.Message);
        }
    }

    private const long Latest = 253_402_300_799_999;

    private void Rewrite(LearnedNames names)
    {
        var next = path + ".new";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            file.Write(Lines(LearnedNames.Empty, names));
            file.Flush(flushToDisk: true);
            _length = _whole = file.Length;
        }

        File.Move(next, path, overwrite: true);
    }

    private static byte[] Lines(LearnedNames before, LearnedNames now)
    {
        using var lines = new MemoryStream();
        foreach (var port in before.ByPort.Keys.Union(now.ByPort.Keys))
        {
            var (old, current) = (before.Of(port), now.Of(port));
            if (ReferenceEquals(old, current))
            {
                continue;
            }

            foreach (var (key, value) in current.Where(c => !old.TryGetValue(c.Key, out var was) || was != c.Value))
            {
                Write(lines, new Line(port, key.Name, key.Address.ToString(), value.IsLive, value.Until.ToUnixTimeMilliseconds()));
            }

            foreach (var key in old.Keys.Where(k => !current.ContainsKey(k)))
            {
                Write(lines, new Line(port, key.Name, key.Address.ToString(), false, 0));
            }
        }

        return lines.ToArray();
    }

    private static void Write(MemoryStream lines, Line line)
    {
        JsonSerializer.Serialize(lines, line, NameJournalJson.Default.Line);
        lines.WriteByte((byte)'\n');
    }

    private static Line? ReadLine(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, NameJournalJson.Default.Line) is { Port: not null, Name: not null } line ? line : null;
        }
        catch (JsonException)
        {
            // Cut off by a crash.
            return null;
        }
    }

    [LoggerMessage(3780, LogLevel.Warning, "The learned names in {Path} cannot be read ({Reason}); they are learned again as pods ask")]
    private static partial void LogUnreadable(ILogger logger, string path, string reason);

    [LoggerMessage(3781, LogLevel.Warning, "The learned names cannot be saved in {Path} ({Reason}): free space in stateDir; a restart would not know them")]
    private static partial void LogNotSaved(ILogger logger, string path, string reason);

    /// <summary>A line: an address of a name, or, with <paramref name="Until"/> 0, that it is none any more.</summary>
    internal sealed record Line(string Port, string Name, string Address, bool Live, long Until);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NameJournal.Line))]
internal sealed partial class NameJournalJson : JsonSerializerContext
{
}
