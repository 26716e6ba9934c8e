using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>A kubelet without containers: it registers its node and runs the pods bound to it with the real CNI plugin.</summary>
internal sealed class HollowKubelet(KubeletContext node)
{
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, PodWorker> _workers = new(StringComparer.Ordinal);

    /// <summary>Runs until cancelled. The pods go on then: whoever ends the lab ends them.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await using var server = new KubeletServer(node, (ns, name) => _workers.Values.FirstOrDefault(w => w.Pod.Namespace == ns && w.Pod.Name == name));
        await server.StartAsync(ct);
        await RegisterAsync(ct);
        await Task.WhenAll(HeartbeatAsync(ct), FollowPodsAsync(ct));
    }

    private async Task RegisterAsync(CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject
            {
                ["name"] = node.Node,
                ["labels"] = new JsonObject
                {
                    ["kubernetes.io/hostname"] = node.Node,
                    ["kubernetes.io/os"] = "linux",
                    ["kubernetes.io/arch"] = "amd64",
                },
            },
            ["spec"] = new JsonObject(),
        };
        while (true)
        {
            try
            {
                if (await node.Api.FindAsync($"/api/v1/nodes/{node.Node}", ct) is null)
                {
                    await node.Api.CreateAsync("/api/v1/nodes", body.DeepClone().AsObject(), ct);
                }

                // A node that is there already may be an earlier kubelet's.
                await node.Api.PatchAsync($"/api/v1/nodes/{node.Node}", Served(), ct);
                await WriteStatusAsync(ct);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ClusterApiException)
            {
                node.Log($"cannot register: {e.Message}");
                await Task.Delay(300, ct);
            }
        }
    }

    private JsonObject Served() => new()
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [ApiServer.NodeProxy.SocketAnnotation] = KubeletServer.Socket(node) } },
    };

    private async Task HeartbeatAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(HeartbeatPeriod);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                await WriteStatusAsync(ct);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ClusterApiException)
            {
                node.Log($"no heartbeat: {e.Message}");
            }
        }
    }

    private Task WriteStatusAsync(CancellationToken ct)
    {
        var now = DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var capacity = new JsonObject { ["cpu"] = "2", ["memory"] = "4Gi", ["pods"] = "250" };
        JsonArray addresses =
        [
            .. node.Addresses.Select(a => new JsonObject { ["type"] = "InternalIP", ["address"] = a.ToString() }),
            new JsonObject { ["type"] = "Hostname", ["address"] = node.Node },
            // The list's merge key is the type, and a node of two families has one type twice: kubelet replaces it too.
            new JsonObject { ["$patch"] = "replace" },
        ];
        var status = new JsonObject
        {
            ["addresses"] = addresses,
            ["capacity"] = capacity,
            ["allocatable"] = capacity.DeepClone(),
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Ready",
                ["status"] = "True",
                ["reason"] = "KubeletReady",
                ["message"] = "the lab's hollow kubelet runs",
                ["lastHeartbeatTime"] = now,
                ["lastTransitionTime"] = now,
            }),
            ["nodeInfo"] = new JsonObject
            {
                ["machineID"] = "", ["systemUUID"] = "", ["bootID"] = "", ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
                ["osImage"] = "Weft lab", ["containerRuntimeVersion"] = "weft-lab://0", ["kubeletVersion"] = "v1.32.0-weft-lab",
                ["kubeProxyVersion"] = "", ["operatingSystem"] = "linux", ["architecture"] = "amd64",
            },
        };
        // Strategic: other writers' conditions (NetworkUnavailable) stay.
        return node.Api.PatchAsync(
            $"/api/v1/nodes/{node.Node}/status", new JsonObject { ["status"] = status }, ct, "application/strategic-merge-patch+json");
    }

    private async Task FollowPodsAsync(CancellationToken ct)
    {
        await foreach (var step in node.Api.FollowAsync("/api/v1/pods", $"fieldSelector=spec.nodeName%3D{node.Node}", ct))
        {
            if (step.Object is null)
            {
                var live = step.All.Select(p => (string)p["metadata"]!["uid"]!).ToHashSet();
                foreach (var (_, worker) in _workers.Where(w => !live.Contains(w.Key)))
                {
                    worker.Stop(objectGone: true, graceSeconds: 0);
                }
            }

            foreach (var pod in step.Object is { } one ? [one] : step.All)
            {
                Take(pod, gone: step.Type == "DELETED");
            }

            foreach (var uid in _workers.Where(w => w.Value.Completion.IsCompleted).Select(w => w.Key).ToList())
            {
                _workers.TryRemove(uid, out _);
            }
        }
    }

    private void Take(JsonObject json, bool gone)
    {
        PodSpec pod;
        try
        {
            pod = PodSpec.Read(json);
        }
        catch (FormatException e)
        {
            node.Log($"skipped: {e.Message}");
            return;
        }

        if (_workers.TryGetValue(pod.Uid, out var worker))
        {
            if (gone || pod.Deleting)
            {
                worker.Stop(gone, gone ? 0 : pod.GraceSeconds);
            }
        }
        else if (!gone)
        {
            worker = new PodWorker(node, pod);
            _workers[pod.Uid] = worker;
            if (pod.Deleting)
            {
                worker.Stop(objectGone: false, pod.GraceSeconds);
            }
        }
    }
}
