using System.Net;
using System.Net.Sockets;
using Weft.Lab.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Kubelet;

/// <summary>Runs one kubelet probe again and again, from the node's namespace, as kubelet does.</summary>
internal sealed class Prober(ProbeSpec probe, Netns node, Netns pod, IPAddress address)
{
    /// <summary>Asks until the verdict is once good; false when it was bad too often before (a startup probe).</summary>
    public async Task<bool> StartAsync(CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromSeconds(probe.InitialDelay), ct);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(probe.Period));
        for (var failures = 0; failures < probe.FailureThreshold; failures++)
        {
            if (await TryAsync(ct))
            {
                return true;
            }

            await timer.WaitForNextTickAsync(ct);
        }

        return false;
    }

    /// <summary>Reports every change of the verdict until stopped; ends after the first failure when <paramref name="once"/>.</summary>
    public async Task RunAsync(bool healthyAtFirst, Func<bool, Task> changed, bool once, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromSeconds(probe.InitialDelay), ct);
        var healthy = healthyAtFirst;
        var different = 0;
        // Kubernetes counts in seconds; the first look is immediate.
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(probe.Period));
        do
        {
            different = await TryAsync(ct) == healthy ? 0 : different + 1;
            if (different >= (healthy ? probe.FailureThreshold : probe.SuccessThreshold))
            {
                (healthy, different) = (!healthy, 0);
                await changed(healthy);
                if (once && !healthy)
                {
                    return;
                }
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task<bool> TryAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(probe.Timeout));
        try
        {
            return probe.Kind switch
            {
                "http" => await HttpAsync(limit.Token),
                "tcp" => await TcpAsync(limit.Token),
                "grpc" => await GrpcAsync(limit.Token),
                _ => await ExecAsync(ct),
            };
        }
        catch (Exception e) when (e is SocketException or HttpRequestException or IOException or LabException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task<bool> HttpAsync(CancellationToken ct)
    {
        using var client = Client();
        using var response = await client.GetAsync($"http://{new IPEndPoint(Target, probe.Port)}{probe.HttpPath}", ct);
        return (int)response.StatusCode is >= 200 and < 400;
    }

    private async Task<bool> GrpcAsync(CancellationToken ct)
    {
        using var client = Client();
        return await GrpcHealth.CheckAsync(client, new IPEndPoint(Target, probe.Port).ToString(), probe.GrpcService, ct);
    }

    private HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) => new NetworkStream(await ConnectAsync(token), ownsSocket: true),
        UseProxy = false,
    });

    private async Task<bool> TcpAsync(CancellationToken ct)
    {
        using var socket = await ConnectAsync(ct);
        return true;
    }

    private async Task<bool> ExecAsync(CancellationToken ct)
    {
        string[] command = [.. pod.Wrap(probe.Command)];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, TimeSpan.FromSeconds(probe.Timeout), ct);
        return result.ExitCode == 0;
    }

    private IPAddress Target => probe.Host is { Length: > 0 } host && IPAddress.TryParse(host, out var other) ? other : address;

    private async Task<Socket> ConnectAsync(CancellationToken ct)
    {
        var target = Target;
        var socket = await node.RunInsideAsync(() => new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            await socket.ConnectAsync(new IPEndPoint(target, probe.Port), ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
