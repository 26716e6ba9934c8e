using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Weft.Telemetry;

/// <summary>Reads the configuration file again when its content changes, and takes over what can change at run time.</summary>
/// <remarks>It looks every 2 s instead of asking the file system: a ConfigMap changes by a symbolic link two folders up.</remarks>
/// <param name="path">The file.</param>
/// <param name="apply">Reads the file and takes it over. Returns the names of changed fields that ask for a restart; throws when the file is wrong.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
public sealed partial class ConfigurationFollower(string path, Func<string, IReadOnlyList<string>> apply, TimeProvider time, ILogger<ConfigurationFollower> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var known = Read();
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var now = Read();
            if (now is null || now == known)
            {
                continue;
            }

            known = now;
            try
            {
                var restart = apply(path);
                LogTaken(logger, path);
                if (restart.Count > 0)
                {
                    LogRestart(logger, string.Join(", ", restart));
                }
            }
            // Whatever is wrong with the file, the program goes on as it was configured.
            catch (Exception e)
            {
                LogWrong(logger, e.Message);
            }
        }
    }

    // A file that is being replaced is looked at again the next time.
    private string? Read()
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(6000, LogLevel.Information, "{Path} changed and was taken over")]
    private static partial void LogTaken(ILogger logger, string path);

    [LoggerMessage(6001, LogLevel.Warning, "Changes of {Fields} take effect after a restart")]
    private static partial void LogRestart(ILogger logger, string fields);

    [LoggerMessage(6002, LogLevel.Error, "The configuration changed and cannot be used, going on with the old one: {Reason}")]
    private static partial void LogWrong(ILogger logger, string reason);
}
