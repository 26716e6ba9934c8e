using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>The life of one pod on a node: sandbox, containers, status, end.</summary>
internal sealed class PodWorker
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(3);

    private readonly KubeletContext _node;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _reporting = new(1);
    private readonly DateTimeOffset _started = DateTimeOffset.UtcNow;
    private volatile bool _objectGone;
    private volatile int _graceSeconds;
    private readonly List<Sandbox> _failed = [];
    private IReadOnlyList<IPAddress> _addresses = [];
    private string _sandboxProblem = "";

    public PodWorker(KubeletContext node, PodSpec pod)
    {
        (_node, Pod, _graceSeconds) = (node, pod, pod.GraceSeconds);
        Completion = Task.Run(RunAsync);
    }

    public PodSpec Pod { get; }

    /// <summary>Where it lives; null until ADD has succeeded.</summary>
    public Sandbox? Sandbox { get; private set; }

    /// <summary>Empty until it has a sandbox; replaced whole.</summary>
    public IReadOnlyList<ContainerRun> Containers { get; private set; } = [];

    /// <summary>Ends when nothing of the pod is left on the node (and, after a deletion, in the API).</summary>
    public Task Completion { get; }

    /// <summary>Ends the pod.</summary>
    /// <param name="objectGone">The API has forgotten it already.</param>
    /// <param name="graceSeconds">How long its programs get.</param>
    public void Stop(bool objectGone, int graceSeconds)
    {
        _graceSeconds = graceSeconds;
        _objectGone |= objectGone;
        _stop.Cancel();
    }

    private async Task RunAsync()
    {
        // One pod's trouble must not end the others', nor leave its sandbox behind.
        await LoggingAsync(LiveAsync);
        await LoggingAsync(EndAsync);
    }

    private async Task LiveAsync()
    {
        await AttachAsync();
        if (Sandbox is not null)
        {
            await RunContainersAsync(Sandbox);
        }
    }

    private async Task EndAsync()
    {
        if (Sandbox is not null)
        {
            _failed.Add(Sandbox);
        }

        // A runtime does not forget a sandbox before DEL has succeeded.
        var backoff = TimeSpan.FromMilliseconds(200);
        while (!await DetachFailedAsync())
        {
            await Task.Delay(backoff);
            backoff = Longer(backoff);
        }

        // A pod that is done stays in the API until somebody deletes it.
        await Task.Delay(Timeout.Infinite, _stop.Token).ContinueWith(_ => { }, CancellationToken.None);
        var now = new JsonObject
        {
            ["gracePeriodSeconds"] = 0,
            ["preconditions"] = new JsonObject { ["uid"] = Pod.Uid },
        };
        await PersistentlyAsync("delete", () => _node.Api.DeleteAsync(Pod.Path, CancellationToken.None, now));
    }

    private async Task LoggingAsync(Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (Exception e)
        {
            _node.Log($"{Pod.Namespace}/{Pod.Name}: {e}");
        }
    }

    private async Task AttachAsync()
    {
        if (Pod.HostNetwork)
        {
            (Sandbox, _addresses) = (new Sandbox(Pod.Namespace, Pod.Name, Pod.Uid, 0, _node.Netns), _node.Addresses);
            return;
        }

        var backoff = TimeSpan.FromMilliseconds(300);
        for (var attempt = 0; !_stop.IsCancellationRequested; attempt++)
        {
            var sandbox = new Sandbox(Pod.Namespace, Pod.Name, Pod.Uid, attempt, _node.Layout.Pod(Pod.Uid, attempt)) { Ips = Pod.Ips, Annotations = Pod.Annotations };
            try
            {
                await AddAsync(sandbox);

                // Earlier tries that could not be ended while the agent was away: a runtime ends them when it can.
                await DetachFailedAsync();
                return;
            }
            catch (Exception e) when (e is CniCallException or LabException)
            {
                await ReportFailureAsync(e.Message);
                _failed.Add(sandbox);
                await DetachFailedAsync();
            }

            await Task.Delay(backoff, _stop.Token).ContinueWith(_ => { }, CancellationToken.None);
            backoff = Longer(backoff);
        }
    }

    private async Task AddAsync(Sandbox sandbox)
    {
        await sandbox.Netns.CreateAsync(CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        var result = await _node.Cni.RunAsync("ADD", sandbox, CancellationToken.None);
        var elapsed = Stopwatch.GetElapsedTime(begun);
        var ips = result?["ips"]?.AsArray() ?? throw new CniCallException(100, "the plugin's result has no ips");
        _addresses = [.. ips.Select(ip => IPNetworkAddress((string)ip!["address"]!))];
        (Sandbox, _sandboxProblem) = (sandbox, "");
        var annotation = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["annotations"] = new JsonObject
                {
                    [Annotations.CniAddMilliseconds] = elapsed.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture),
                    [Annotations.Netns] = sandbox.Netns.Name,
                },
            },
        };
        await PersistentlyAsync("annotate", () => _node.Api.PatchAsync(Pod.Path, annotation, CancellationToken.None));
    }

    private async Task RunContainersAsync(Sandbox sandbox)
    {
        // Before a command: kubelet reports addresses as soon as the sandbox stands.
        Containers = [.. Pod.Containers.Select(c => new ContainerRun(_node, Pod, c, sandbox.Netns, _addresses[0], () => TimeSpan.FromSeconds(_graceSeconds), ReportAsync))];
        await Task.WhenAll(Containers.Select(c => c.RunAsync(_stop.Token)));
    }

    /// <summary>Calls DEL for every sandbox that is over; true when nothing is left of them.</summary>
    private async Task<bool> DetachFailedAsync()
    {
        foreach (var sandbox in _failed.ToList())
        {
            try
            {
                if (!Pod.HostNetwork)
                {
                    await _node.Cni.RunAsync("DEL", sandbox, CancellationToken.None);
                    await sandbox.Netns.DeleteAsync(CancellationToken.None);
                }

                _failed.Remove(sandbox);
            }
            catch (Exception e) when (e is CniCallException or LabException)
            {
                _node.Log($"{Pod.Namespace}/{Pod.Name}: DEL: {e.Message}");
            }
        }

        return _failed.Count == 0;
    }

    private static TimeSpan Longer(TimeSpan backoff) => backoff * 2 > LongestBackoff ? LongestBackoff : backoff * 2;

    private async Task ReportFailureAsync(string problem)
    {
        _node.Log($"{Pod.Namespace}/{Pod.Name}: ADD: {problem}");
        _sandboxProblem = problem;
        await Events.WriteAsync(_node, Pod, "Warning", "FailedCreatePodSandBox", problem);
        await ReportAsync();
    }

    private async Task ReportAsync()
    {
        await _reporting.WaitAsync();
        try
        {
            var patch = PodStatus.Patch(
                Pod, _node.Addresses, _addresses, [.. Containers.Select(c => c.State)],
                Sandbox?.ContainerId ?? "", _started, _sandboxProblem);
            await PersistentlyAsync("write the status of", () => _node.Api.PatchAsync(Pod.Path + "/status", patch, CancellationToken.None));
        }
        finally
        {
            _reporting.Release();
        }
    }

    private async Task PersistentlyAsync(string what, Func<Task> request)
    {
        for (var attempt = 0; !_objectGone; attempt++)
        {
            try
            {
                await request();
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ClusterApiException)
            {
                // The server restarts, which takes longer on a busy machine, or somebody else wrote at the same time.
                _node.Log($"{Pod.Namespace}/{Pod.Name}: cannot {what} the pod: {e.Message}");
                if (attempt >= (e is ClusterApiException ? 20 : 240))
                {
                    throw;
                }

                await Task.Delay(250);
            }
        }
    }

    private static IPAddress IPNetworkAddress(string cidr) => IPAddress.Parse(cidr.Split('/')[0]);
}
