using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>What <c>kubectl get pods</c> says about a pod.</summary>
public static class PodCells
{
    public static JsonNode? Ready(JsonObject pod) =>
        $"{pod.At("status", "containerStatuses").Objects().Count(c => c.Flag("ready"))}/{pod.At("spec", "containers").Objects().Count()}";

    public static string Status(JsonObject pod)
    {
        var reason = pod.Text("status", "reason") ?? pod.Text("status", "phase") ?? "Unknown";
        var index = 0;
        var initializing = false;
        foreach (var container in pod.At("status", "initContainerStatuses").Objects())
        {
            var state = container["state"];
            if (state.Integer("terminated", "exitCode") != 0)
            {
                reason = "Init:" + (state.Text("terminated", "reason") ?? state.Text("waiting", "reason")
                    ?? $"{index}/{pod.At("spec", "initContainers").Objects().Count()}");
                initializing = true;
                break;
            }

            index++;
        }

        if (!initializing)
        {
            foreach (var container in pod.At("status", "containerStatuses").Objects().Reverse())
            {
                var state = container["state"];
                reason = state.Text("waiting", "reason") ?? state.Text("terminated", "reason")
                    ?? (state.At("terminated") is not null ? $"ExitCode:{state.Integer("terminated", "exitCode")}" : reason);
            }
        }

        return pod.At("metadata", "deletionTimestamp") is null ? reason
            : pod.Text("status", "reason") == "NodeLost" ? "Unknown" : "Terminating";
    }

    public static string Restarts(JsonObject pod)
    {
        var containers = pod.At("status", "containerStatuses").Objects().ToList();
        var count = containers.Sum(c => c.Integer("restartCount") ?? 0);
        var last = containers.Select(c => c.Text("lastState", "terminated", "finishedAt")).OfType<string>().Max(StringComparer.Ordinal);
        return count > 0 && last is not null ? $"{count} ({TablePrinter.Age(last)} ago)" : count.ToString(CultureInfo.InvariantCulture);
    }
}
