using System.Diagnostics;
using System.Net;
using Weft.Lab.Cluster;
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
        if (node.ContainerLog(pod, spec.Name) is var log && File.Exists(log))
        {
            // An earlier pod's of the same name.
            File.Delete(log);
        }

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

    /// <summary>How to start another program where the container is: its network and its environment, in a session of its own.</summary>
    public ProcessStartInfo Command(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(Shell.Find("setsid"), node.OfPods(netns.Wrap(command)));
        ProcessStarter.Mark(start, node.Layout);
        foreach (var (name, value) in Environment())
        {
            start.Environment[name] = value;
        }

        return start;
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
            Phase = "running", StartedAt = DateTimeOffset.UtcNow, Ready = spec.Readiness is null && spec.Startup is null, Reason = "", Message = "",
        };
        await changed();

        using var probing = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var ill = new TaskCompletionSource();
        var probes = ProbeAsync(ill, probing.Token);
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

        return ProcessContainer.Start(node, netns, spec.Command, Environment(), node.ContainerLog(pod, spec.Name));
    }

    private Dictionary<string, string> Environment() => new(spec.Environment)
    {
        ["HOSTNAME"] = pod.Name,
        ["POD_NAME"] = pod.Name,
        ["POD_NAMESPACE"] = pod.Namespace,
        ["POD_IP"] = address.ToString(),
        ["NODE_NAME"] = node.Node,
    };

    private async Task ProbeAsync(TaskCompletionSource ill, CancellationToken ct)
    {
        if (spec.Startup is { } startup)
        {
            if (!await Prober(startup).StartAsync(ct))
            {
                ill.TrySetResult();
                return;
            }

            if (spec.Readiness is null)
            {
                await SetReadyAsync(true);
            }
        }

        await Task.WhenAll(
            spec.Readiness is { } readiness ? Prober(readiness).RunAsync(healthyAtFirst: false, SetReadyAsync, once: false, ct) : Task.CompletedTask,
            spec.Liveness is { } liveness ? Prober(liveness).RunAsync(healthyAtFirst: true, _ => Report(ill), once: true, ct) : Task.CompletedTask);
    }

    private Prober Prober(ProbeSpec probe) => new(probe, node.Netns, netns, address);

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
