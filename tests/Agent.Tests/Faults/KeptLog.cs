using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Weft.Agent.Tests.Faults;

/// <summary>A log whose lines a test reads. Safe for concurrent use.</summary>
internal sealed class KeptLog
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>The lines so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>A logger that writes here.</summary>
    public ILogger<T> For<T>() => new Part<T>(this);

    /// <summary>Forgets what was logged.</summary>
    public void Clear() => _lines.Clear();

    private sealed class Part<T>(KeptLog log) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log._lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
