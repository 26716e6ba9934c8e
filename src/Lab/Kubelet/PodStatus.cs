using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>The status of a pod as kubelet writes it (core/v1 PodStatus).</summary>
internal static class PodStatus
{
    /// <summary>The patch for the status subresource.</summary>
    public static JsonObject Patch(
        PodSpec pod, IReadOnlyList<IPAddress> hostAddresses, IReadOnlyList<IPAddress> addresses,
        IReadOnlyList<ContainerState> containers, string containerId, DateTimeOffset started, string sandboxProblem)
    {
        var ready = containers.Count > 0 && containers.All(c => c.Ready);
        var status = new JsonObject
        {
            ["phase"] = Phase(pod, containers),
            ["startTime"] = Time(started),
            ["hostIP"] = hostAddresses[0].ToString(),
            ["hostIPs"] = Ips(hostAddresses),
            ["conditions"] = new JsonArray(
                Condition("PodScheduled", true, started, ""),
                Condition("Initialized", true, started, ""),
                Condition("PodReadyToStartContainers", addresses.Count > 0, started, sandboxProblem),
                Condition("ContainersReady", ready, DateTimeOffset.UtcNow, sandboxProblem),
                Condition("Ready", ready, DateTimeOffset.UtcNow, sandboxProblem)),
            ["containerStatuses"] = new JsonArray([.. containers.Select(c => Container(c, containerId))]),
        };
        if (addresses.Count > 0)
        {
            status["podIP"] = addresses[0].ToString();
            status["podIPs"] = Ips(addresses);
        }

        return new JsonObject { ["status"] = status };
    }

    private static string Phase(PodSpec pod, IReadOnlyList<ContainerState> containers) => containers switch
    {
        [] => "Pending",
        _ when containers.All(c => c.Phase == "terminated") => containers.All(c => c.ExitCode == 0) ? "Succeeded" : "Failed",
        _ when containers.All(c => c.Phase == "waiting" && c.Restarts == 0 && c.FinishedAt == default) => "Pending",
        _ => "Running",
    };

    private static JsonObject Container(ContainerState state, string containerId)
    {
        var detail = state.Phase switch
        {
            "running" => new JsonObject { ["startedAt"] = Time(state.StartedAt) },
            "terminated" => new JsonObject
            {
                ["exitCode"] = state.ExitCode,
                ["reason"] = state.Reason.Length > 0 ? state.Reason : state.ExitCode == 0 ? "Completed" : "Error",
                ["message"] = state.Message,
                ["startedAt"] = Time(state.StartedAt),
                ["finishedAt"] = Time(state.FinishedAt),
            },
            _ => new JsonObject
            {
                ["reason"] = state.FinishedAt == default ? "ContainerCreating" : "CrashLoopBackOff",
                ["message"] = state.Message,
            },
        };
        return new JsonObject
        {
            ["name"] = state.Name,
            ["image"] = state.Image,
            ["imageID"] = state.Image,
            ["containerID"] = $"weft-lab://{containerId}",
            ["ready"] = state.Ready,
            ["started"] = state.Phase == "running",
            ["restartCount"] = state.Restarts,
            ["state"] = new JsonObject { [state.Phase] = detail },
        };
    }

    private static JsonObject Condition(string type, bool holds, DateTimeOffset since, string message)
    {
        var condition = new JsonObject
        {
            ["type"] = type,
            ["status"] = holds ? "True" : "False",
            ["lastTransitionTime"] = Time(since),
        };
        if (!holds && message.Length > 0)
        {
            condition["reason"] = "SandboxNotReady";
            condition["message"] = message;
        }

        return condition;
    }

    private static JsonArray Ips(IEnumerable<IPAddress> addresses) =>
        new([.. addresses.Select(a => new JsonObject { ["ip"] = a.ToString() })]);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
