using Weft.Kubernetes;

namespace Weft.Controller;

/// <summary>Whether this controller leads. Only the leader serves agents and writes to Kubernetes; the others have everything computed and wait.</summary>
/// <remarks>Safe to use from any thread.</remarks>
public sealed partial class Leadership : BackgroundService
{
    private readonly LeaderElector _elector;
    private readonly ControllerOptions _options;
    private readonly ILogger<Leadership> _logger;
    private string _lastFailure = "";
    private TaskCompletionSource _gained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken _term = new(canceled: true);

    /// <summary>Does not lead yet.</summary>
    public Leadership(KubernetesClient client, ControllerOptions options, TimeProvider time, ILogger<Leadership> logger)
    {
        (_options, _logger) = (options, logger);
        var identity = $"{System.Net.Dns.GetHostName()}-{Guid.NewGuid():N}"[..^24];
        _elector = new LeaderElector(client, new LeaderElectionOptions(options.Namespace, "weft-controller", identity), time, LogOnce);
    }

    /// <summary>Told each time when this controller becomes the leader; must not block.</summary>
    public event Action? Gained;

    /// <summary>Whether this controller leads now.</summary>
    public bool IsLeader => !_term.IsCancellationRequested;

    /// <summary>Cancelled when this controller does not lead (any more).</summary>
    public CancellationToken Term => _term;

    /// <summary>Who leads, as far as known.</summary>
    public string Leader => _elector.Holder;

    /// <summary>Ends when this controller leads; at once when it does already.</summary>
    public Task WaitAsync(CancellationToken ct) => _gained.Task.WaitAsync(ct);

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _options.LeaderElection ? _elector.RunAsync(LeadAsync, stoppingToken) : LeadAsync(stoppingToken);

    private async Task LeadAsync(CancellationToken term)
    {
        _term = term;
        LogGained(_logger);
        _lastFailure = "";
        _gained.TrySetResult();
        Gained?.Invoke();
        await Task.Delay(Timeout.Infinite, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LogLost(_logger);
    }

    /// <summary>It tries more than once a second: the same reason again says nothing new.</summary>
    private void LogOnce(KubernetesException failure)
    {
        if (Interlocked.Exchange(ref _lastFailure, failure.Message) != failure.Message)
        {
            LogFailed(_logger, failure.Message);
        }
    }

    [LoggerMessage(4030, LogLevel.Information, "This controller leads")]
    private static partial void LogGained(ILogger logger);

    [LoggerMessage(4031, LogLevel.Information, "This controller does not lead any more")]
    private static partial void LogLost(ILogger logger);

    [LoggerMessage(4032, LogLevel.Warning, "The lease cannot be read or written: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
