using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>Makes every bound pod ready, and completes deletions, as quickly as it hears of them.</summary>
public sealed class ReadyKubelet : IDisposable
{
    private readonly TestServer _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Dictionary<string, bool> _ready = new(StringComparer.Ordinal);

    public ReadyKubelet(TestServer server)
    {
        _server = server;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Names of pods in the order in which they became ready.</summary>
    public List<string> Started { get; } = [];

    /// <summary>The fewest ready pods that were seen since it was set.</summary>
    public int Lowest { get; set; } = int.MaxValue;

    public void Dispose()
    {
        _stop.Cancel();
        _loop.Wait(TimeSpan.FromSeconds(5));
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var response = await _server.Http.GetAsync("/api/v1/pods?watch=true", HttpCompletionOption.ResponseHeadersRead, _stop.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(_stop.Token));
        try
        {
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                await HandleAsync(JsonNode.Parse(line)!);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over.
        }
    }

    private async Task HandleAsync(JsonNode change)
    {
        var pod = change["object"];
        var (ns, name) = (pod.Text("metadata", "namespace")!, pod.Text("metadata", "name")!);
        var deleting = pod.At("metadata", "deletionTimestamp") is not null;
        if (change.Text("type") == "DELETED")
        {
            _ready.Remove(name);
            return;
        }

        _ready[name] = PodConditions.IsTrue(pod, "Ready") && !deleting;
        Lowest = Math.Min(Lowest, _ready.Values.Count(r => r));
        if (deleting)
        {
            await _server.DeleteAsync($"/api/v1/namespaces/{ns}/pods/{name}", """{"gracePeriodSeconds":0}""");
        }
        else if (pod.Text("spec", "nodeName") is not null && pod.Text("status", "phase") == "Pending")
        {
            Started.Add(name);
            await _server.RunPodAsync(ns, name, "10.0.0.1");
        }
    }
}
