using System.Net;
using Weft.Lab.Net;

namespace Weft.Lab.Kubelet;

/// <summary>Keeps one container of a pod running as its restart policy says, and knows its state.</summary>
internal sealed class ContainerRun(
    KubeletContext node, PodSpec pod, ContainerSpec spec, Netns netns, IPAddress address, Func<TimeSpan> grace, Func<Task> changed)
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    /// <summary>What the status shows; replaced whole.</summary>
    public ContainerState State { get; private set; } = new() { Name = spec.Name, Image = spec.Image };

    /// <summary>Runs until the container is done for good, or stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var backoff = TimeSpan.FromSeconds(1);
        while (!stop.IsCancellationRequested)
        {
            var exit = await RunOnceAsync(stop);
            var again = !stop.IsCancellationRequested
                && (pod.RestartPolicy == "Always" || (pod.RestartPolicy == "OnFailure" && exit != 0));
            var now = DateTimeOffset.UtcNow;
            State = State with { Phase = again ? "waiting" : "terminated", ExitCode = exit, FinishedAt = now, Ready = false };
            await changed();
            if (!again)
            {
                return;
            }

            await Task.Delay(backoff, stop).ContinueWith(_ => { }, CancellationToken.None);
            backoff = backoff * 2 > LongestBackoff ? LongestBackoff : backoff * 2;
            State = State with { Restarts = State.Restarts + 1 };
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken stop)
    {
        IRunningContainer container;
        try
        {
            container = await StartAsync();
        }
        catch (Exception e) when (e is FormatException or System.Net.Sockets.SocketException or LabException or IOException)
        {
            node.Log($"{pod.Namespace}/{pod.Name}: container {spec.Name} did not start: {e.Message}");
            State = State with { Reason = "StartError", Message = e.Message };
            return 128;
        }

        State = State with
        {
            Phase = "running", StartedAt = DateTimeOffset.UtcNow, Ready = spec.Readiness is null, Reason = "", Message = "",
        };
        await changed();

        using var probing = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var ill = new TaskCompletionSource();
        var probes = Task.WhenAll(
            Probe(spec.Readiness, healthyAtFirst: false, ready => SetReadyAsync(ready), once: false, probing.Token),
            Probe(spec.Liveness, healthyAtFirst: true, _ => Report(ill), once: true, probing.Token));
        var stopped = Task.Delay(Timeout.Infinite, probing.Token);
        await Task.WhenAny(container.Ended, ill.Task, stopped);
        await probing.CancelAsync();
        await probes.ContinueWith(_ => { }, CancellationToken.None);
        if (!container.Ended.IsCompleted)
        {
            await container.StopAsync(grace());
        }

        return await container.Ended;
    }

    private async Task<IRunningContainer> StartAsync()
    {
        if (spec.Command is [])
        {
            return new IdleContainer();
        }

        if (spec.Command[0] == ServingContainer.Command)
        {
            return await ServingContainer.StartAsync(netns, pod.Name, spec.Command);
        }

        var environment = new Dictionary<string, string>(spec.Environment)
        {
            ["HOSTNAME"] = pod.Name,
            ["POD_NAME"] = pod.Name,
            ["POD_NAMESPACE"] = pod.Namespace,
            ["POD_IP"] = address.ToString(),
            ["NODE_NAME"] = node.Node,
        };
        return ProcessContainer.Start(node.Layout, netns, spec.Command, environment, node.ContainerLog(pod, spec.Name));
    }

    private async Task Probe(ProbeSpec? probe, bool healthyAtFirst, Func<bool, Task> report, bool once, CancellationToken ct)
    {
        if (probe is not null)
        {
            await new Prober(probe, node.Netns, netns, address).RunAsync(healthyAtFirst, report, once, ct);
        }
    }

    private async Task SetReadyAsync(bool ready)
    {
        State = State with { Ready = ready };
        await changed();
    }

    private static Task Report(TaskCompletionSource ill)
    {
        ill.TrySetResult();
        return Task.CompletedTask;
    }
}
