using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Lab.Net;

namespace Weft.Lab.Kubelet;

/// <summary>Calls the CNI plugin as a container runtime does: variables, configuration on standard input, result on standard output.</summary>
/// <param name="program">The plugin.</param>
/// <param name="socket">The agent's socket, written into the network configuration.</param>
/// <param name="node">The node's namespace, in which a runtime runs.</param>
public sealed class CniCall(string program, string socket, Netns node)
{
    /// <summary>What the plugin gets on standard input.</summary>
    public JsonObject Configuration { get; } = new()
    {
        ["cniVersion"] = "1.0.0",
        ["name"] = "weft",
        ["type"] = "weft-cni",
        ["socket"] = socket,
    };

    /// <summary>Runs a command.</summary>
    /// <returns>The result object of ADD, null for commands without one.</returns>
    /// <exception cref="CniCallException">The plugin said no.</exception>
    public async Task<JsonObject?> RunAsync(string command, Sandbox sandbox, CancellationToken ct)
    {
        var environment = new Dictionary<string, string>
        {
            ["CNI_COMMAND"] = command,
            ["CNI_CONTAINERID"] = sandbox.ContainerId,
            ["CNI_NETNS"] = sandbox.Netns.Path,
            ["CNI_IFNAME"] = "eth0",
            ["CNI_PATH"] = Path.GetDirectoryName(program)!,
            ["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={sandbox.Namespace};K8S_POD_NAME={sandbox.Name};"
                + $"K8S_POD_INFRA_CONTAINER_ID={sandbox.ContainerId};K8S_POD_UID={sandbox.Uid}",
        };
        var configuration = Configuration;
        var runtime = new JsonObject();
        if (sandbox.Ips.Count > 0)
        {
            runtime["ips"] = new JsonArray([.. sandbox.Ips.Select(i => JsonValue.Create(i))]);
        }

        if (command == "ADD" && PodBandwidth.Read(sandbox.Annotations) is { } bandwidth)
        {
            runtime["bandwidth"] = bandwidth;
        }

        if (runtime.Count > 0)
        {
            configuration = (JsonObject)Configuration.DeepClone();
            configuration["runtimeConfig"] = runtime;
        }

        string[] whole = [.. node.Wrap([program])];
        var result = await Shell.TryRunAsync(
            whole[0], whole[1..], configuration.ToJsonString(), environment, TimeSpan.FromMinutes(2), ct);
        var output = Parse(result.Output);
        return result.ExitCode == 0
            ? output
            : throw new CniCallException(
                (int?)output?["code"] ?? result.ExitCode,
                output is null ? $"exit code {result.ExitCode}: {result.Output}{result.Error}" : $"{output["msg"]} ({output["details"]})");
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text)?.AsObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>An error object of the CNI specification.</summary>
public sealed class CniCallException(int code, string message) : Exception($"CNI error {code}: {message}")
{
    public int Code { get; } = code;
}
