using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Weft.Telemetry;

/// <summary>Log levels by category that can be changed while the program runs. Safe to use from any thread.</summary>
public sealed class LogLevels : IConfigurationSource
{
    private readonly Provider _provider = new();

    /// <summary>What is wrong with levels, or null.</summary>
    /// <param name="field">The configuration's field, for the message.</param>
    public static string? FindProblem(string field, IReadOnlyDictionary<string, string> levels) =>
        levels.FirstOrDefault(l => !Enum.TryParse<LogLevel>(l.Value, ignoreCase: true, out _) || char.IsDigit(l.Value[0])) is { Key: { } category } bad
            ? $"{field}.{category} is '{bad.Value}': it must be {string.Join(", ", Enum.GetNames<LogLevel>())}"
            : null;

    /// <summary>Lets a program's log follow these levels.</summary>
    public void AddTo(ILoggingBuilder logging) => logging.AddConfiguration(new ConfigurationBuilder().Add(this).Build());

    /// <summary>Replaces all levels; takes effect at once.</summary>
    public void Set(IReadOnlyDictionary<string, string> levels) => _provider.Replace(levels);

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => _provider;

    private sealed class Provider : ConfigurationProvider
    {
        public void Replace(IReadOnlyDictionary<string, string> levels)
        {
            Data = levels.ToDictionary(l => $"LogLevel:{l.Key}", l => (string?)l.Value, StringComparer.OrdinalIgnoreCase);
            OnReload();
        }
    }
}
