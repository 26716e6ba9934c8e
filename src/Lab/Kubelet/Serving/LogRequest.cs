using System.Globalization;
using Microsoft.AspNetCore.Http;
using Weft.Lab.ApiServer;

namespace Weft.Lab.Kubelet;

/// <summary>What of a container's log somebody wants.</summary>
/// <param name="Follow">Goes on until the container has ended.</param>
/// <param name="Tail">The last so many lines; null: all.</param>
/// <param name="Limit">At most so many bytes; null: no limit.</param>
internal sealed record LogRequest(bool Follow, int? Tail, long? Limit)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>Reads the query of <c>containerLogs</c> (core/v1 PodLogOptions).</summary>
    /// <exception cref="ApiException">It asks for what a log without times cannot give, or a number is none.</exception>
    public static LogRequest Read(IQueryCollection query)
    {
        foreach (var option in (string[])["timestamps", "previous", "sinceSeconds", "sinceTime"])
        {
            if (query[option] is { Count: > 0 } value && value != "false")
            {
                throw ApiException.BadRequest($"{option}: the lab's kubelet keeps the output of containers without times and in one file; leave it away");
            }
        }

        return new LogRequest(query["follow"] == "true", (int?)Number("tailLines"), Number("limitBytes"));

        long? Number(string option) => query[option] is not { Count: > 0 } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw ApiException.BadRequest($"{option}: '{text}' is not a number from 0 to {int.MaxValue}");
    }

    /// <summary>Copies it.</summary>
    /// <param name="file">The log; a container that never wrote has none.</param>
    /// <param name="to">Whoever asked; flushed after each part.</param>
    /// <param name="hasEnded">Nothing more will be written.</param>
    /// <param name="ct">Whoever asked has gone.</param>
    public async Task CopyAsync(string file, Stream to, Func<bool> hasEnded, CancellationToken ct)
    {
        var left = Limit ?? long.MaxValue;
        var buffer = new byte[16 << 10];
        FileStream? log = null;
        try
        {
            while (left > 0)
            {
                // Asked before the file is read: what was written before the end is read then.
                var last = !Follow || hasEnded();
                if (log is null && File.Exists(file))
                {
                    log = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                    log.Position = Tail is { } lines ? await StartOfTailAsync(log, lines, ct) : 0;
                }

                int read;
                while (log is not null && left > 0 && (read = await log.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), ct)) > 0)
                {
                    await to.WriteAsync(buffer.AsMemory(0, read), ct);
                    left -= read;
                }

                await to.FlushAsync(ct);
                if (last)
                {
                    return;
                }

                await Task.Delay(Look, ct);
            }
        }
        finally
        {
            log?.Dispose();
        }
    }

    private static async Task<long> StartOfTailAsync(FileStream log, int lines, CancellationToken ct)
    {
        var all = new byte[log.Length];
        await log.ReadExactlyAsync(all, ct);
        if (lines == 0)
        {
            return all.Length;
        }

        // The newline at the end belongs to the last line.
        var at = all.Length - 1;
        for (var seen = 0; at > 0; at--)
        {
            if (all[at - 1] == '\n' && ++seen == lines)
            {
                break;
            }
        }

        return Math.Max(at, 0);
    }
}
