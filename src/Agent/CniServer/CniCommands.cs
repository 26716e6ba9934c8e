using Weft.Agent.CniServer.Leases;
using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>Carries out the commands of the CNI specification 1.1. Every input gets an answer; nothing is thrown.</summary>
/// <remarks>Safe for concurrent calls: those for one container interface wait for each other.</remarks>
internal sealed partial class CniCommands(IPodNetwork network, LeaseStore leases, PodLinks links, SparePorts? spares, CniLimits limits, ILogger logger)
{
    private readonly KeyedLock<LeaseKey> _busy = new();

    // More threads than this inside the kernel's link code only wait for its one lock.
    private readonly SemaphoreSlim _linkWork = new(4);

    /// <summary>Executes one request.</summary>
    public async Task<CniReply> ExecuteAsync(CniRequest request, CancellationToken ct)
    {
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        var reply = await AnswerAsync(request, ct).ConfigureAwait(false);
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalSeconds;
        AgentMetrics.CniDuration.Record(seconds, new("command", request.Command ?? ""), new("exit_code", reply.ExitCode));
        if (request.Command == "ADD" && reply.ExitCode == 0)
        {
            AgentMetrics.PodReady.Record(seconds);
        }

        return reply;
    }

    private async Task<CniReply> AnswerAsync(CniRequest request, CancellationToken ct)
    {
        request = WithoutNulls(request);
        var version = CniConfig.VersionOf(request.Config);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(limits.Command);
        try
        {
            var output = await DispatchAsync(request, timeout.Token).ConfigureAwait(false);
            return new CniReply { ExitCode = 0, Output = output };
        }
        catch (CniException e)
        {
            Log.Failed(logger, request.Command, request.ContainerId, request.IfName, request.Args, e.Code, e.Message, e.Details);
            return Failure(version, e.Code, e.Message, e.Details);
        }
        catch (LeaseException e)
        {
            var code = e.IsTransient ? CniErrorCode.TryAgainLater : CniErrorCode.NoAddress;
            Log.Failed(logger, request.Command, request.ContainerId, request.IfName, request.Args, code, e.Message, "");
            return Failure(version, code, e.Message, "");
        }
        catch (OperationCanceledException)
        {
            var message = ct.IsCancellationRequested
                ? $"the agent stops; {request.Command} was not done"
                : $"{request.Command} was not done within {limits.Command.TotalSeconds:0} s";
            Log.Failed(logger, request.Command, request.ContainerId, request.IfName, request.Args, CniErrorCode.TryAgainLater, message, "");
            return Failure(version, CniErrorCode.TryAgainLater, message, "try again; look at the agent's status for what it waits for");
        }
        catch (Exception e)
        {
            // The runtime must get an answer whatever happened; the log has the trace.
            Log.Unexpected(logger, e, request.Command, request.ContainerId, request.IfName, request.Args);
            return Failure(version, CniErrorCode.Unexpected, $"{request.Command} failed unexpectedly: {e.Message}", "the agent's log has the details");
        }
    }

    /// <summary>JSON that leaves a field out, or says null, gives null in spite of the declared types.</summary>
    private static CniRequest WithoutNulls(CniRequest request) => request with
    {
        Command = request.Command ?? "",
        ContainerId = request.ContainerId ?? "",
        Netns = request.Netns ?? "",
        IfName = request.IfName ?? "",
        Args = request.Args ?? "",
        Path = request.Path ?? "",
        Config = request.Config ?? "",
    };

    private static CniReply Failure(string version, int code, string message, string details) =>
        new() { ExitCode = 1, Output = CniResult.Error(version, code, message, details) };

    private async Task<string> DispatchAsync(CniRequest request, CancellationToken ct)
    {
        if (request.Version != 1)
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion, $"the plugin speaks version {request.Version} of the exchange, the agent 1", "install plugin and agent of one release");
        }

        if (request.Command == "VERSION")
        {
            return CniResult.Versions(CniConfig.VersionOf(request.Config));
        }

        if (request.Command is not ("ADD" or "DEL" or "CHECK" or "GC" or "STATUS"))
        {
            throw new CniException(
                CniErrorCode.InvalidEnvironment, $"CNI_COMMAND is '{request.Command}'", "it must be ADD, DEL, CHECK, GC, STATUS or VERSION");
        }

        var invocation = CniInvocation.Parse(request);
        switch (invocation.Command)
        {
            case "GC":
                await CollectAsync(invocation, ct).ConfigureAwait(false);
                return "";
            case "STATUS":
                return network.NotReadyReason is { } reason
                    ? throw new CniException(CniErrorCode.NotAvailable, reason, "pods cannot be attached at the moment")
                    : "";
        }

        using var held = await _busy.AcquireAsync(invocation.Key, ct).ConfigureAwait(false);
        switch (invocation.Command)
        {
            case "ADD":
                return await AddAsync(invocation, ct).ConfigureAwait(false);
            case "DEL":
                await RemoveAsync(invocation.Key, ct).ConfigureAwait(false);
                return "";
            default:
                await CheckAsync(invocation, ct).ConfigureAwait(false);
                return "";
        }
    }

    /// <summary>Whether a command for this interface is under way.</summary>
    public bool IsBusy(Lease lease) => _busy.IsBusy(lease.Key);

    /// <summary>Runs blocking kernel work, a few at a time.</summary>
    private async Task<T> OnLinksAsync<T>(Func<T> work, CancellationToken ct)
    {
        await _linkWork.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // A thread of its own: the pool's few must not all wait for the kernel.
            return await PodLinks.Threads.RunAsync(() => (work(), Keep: true)).ConfigureAwait(false);
        }
        finally
        {
            _linkWork.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3120, LogLevel.Warning, "CNI {Command} {ContainerId}/{IfName} ({CniArgs}) failed with code {Code}: {Reason}; {Details}")]
        public static partial void Failed(ILogger logger, string command, string containerId, string ifName, string cniArgs, int code, string reason, string details);

        [LoggerMessage(3121, LogLevel.Error, "CNI {Command} {ContainerId}/{IfName} ({CniArgs}) failed unexpectedly")]
        public static partial void Unexpected(ILogger logger, Exception e, string command, string containerId, string ifName, string cniArgs);

        [LoggerMessage(3122, LogLevel.Information, "Pod {Pod}: {IfName} has {Addresses}, host side {HostInterface}, {Milliseconds} ms")]
        public static partial void Added(ILogger logger, string pod, string ifName, EquatableArray<string> addresses, string hostInterface, long milliseconds);

        [LoggerMessage(3123, LogLevel.Warning, "Pod {Pod}: ADD failed and could not be undone whole; DEL or GC does the rest")]
        public static partial void NotUndone(ILogger logger, Exception e, string pod);

        [LoggerMessage(3125, LogLevel.Warning, "Pod {Pod}: container {Old} still held its address and is removed for {New}")]
        public static partial void Superseded(ILogger logger, string pod, string old, string @new);

        [LoggerMessage(3124, LogLevel.Information, "GC removed {ContainerId}/{IfName}")]
        public static partial void Collected(ILogger logger, string containerId, string ifName);
    }
}
