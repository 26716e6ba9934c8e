using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>What the hollow kubelet reads of a pod.</summary>
/// <exception cref="FormatException">From <see cref="Read"/>: the object is not as the API promises; the message names the field.</exception>
public sealed record PodSpec
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required string Uid { get; init; }

    public required bool HostNetwork { get; init; }

    public required bool Deleting { get; init; }

    /// <summary>How long its programs get to end, seconds.</summary>
    public required int GraceSeconds { get; init; }

    /// <summary><c>Always</c>, <c>OnFailure</c> or <c>Never</c>.</summary>
    public required string RestartPolicy { get; init; }

    public required IReadOnlyList<ContainerSpec> Containers { get; init; }

    /// <summary>See <see cref="Kubelet.Annotations.Ips"/>.</summary>
    public IReadOnlyList<string> Ips { get; init; } = [];

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Where the pod is in the API.</summary>
    public string Path => $"/api/v1/namespaces/{Namespace}/pods/{Name}";

    public static PodSpec Read(JsonObject pod)
    {
        try
        {
            var metadata = pod["metadata"]!;
            var spec = pod["spec"]!;
            return new PodSpec
            {
                Namespace = (string)metadata["namespace"]!,
                Name = (string)metadata["name"]!,
                Uid = (string)metadata["uid"]!,
                Deleting = metadata["deletionTimestamp"] is not null,
                GraceSeconds = (int?)metadata["deletionGracePeriodSeconds"] ?? (int?)spec["terminationGracePeriodSeconds"] ?? 30,
                HostNetwork = (bool?)spec["hostNetwork"] ?? false,
                RestartPolicy = (string?)spec["restartPolicy"] ?? "Always",
                Ips = ((string?)metadata["annotations"]?[Kubelet.Annotations.Ips] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries),
                Annotations = (metadata["annotations"]?.AsObject() ?? []).ToDictionary(a => a.Key, a => (string?)a.Value ?? ""),
                Containers = [.. spec["containers"]!.AsArray().Select(c => ContainerSpec.Read(c!))],
            };
        }
        catch (Exception e) when (e is InvalidOperationException or NullReferenceException or FormatException or JsonException)
        {
            throw new FormatException($"the pod {pod["metadata"]?["namespace"]}/{pod["metadata"]?["name"]} cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>A container; its image is not looked at.</summary>
public sealed record ContainerSpec
{
    public required string Name { get; init; }

    public required string Image { get; init; }

    /// <summary><c>command</c> and <c>args</c>; empty: the container only exists.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The others wait until it has succeeded once.</summary>
    public required ProbeSpec? Startup { get; init; }

    public required ProbeSpec? Readiness { get; init; }

    public required ProbeSpec? Liveness { get; init; }

    public static ContainerSpec Read(JsonNode container) => new()
    {
        Name = (string)container["name"]!,
        Image = (string?)container["image"] ?? "",
        // Without a command the image would decide, and there are no images here.
        Command = container["command"] is null ? [] : [.. Strings(container["command"]), .. Strings(container["args"])],
        Environment = (container["env"]?.AsArray() ?? [])
            .Where(e => e!["value"] is not null)
            .ToDictionary(e => (string)e!["name"]!, e => (string)e!["value"]!),
        Startup = ProbeSpec.Read(container["startupProbe"], container["ports"]),
        Readiness = ProbeSpec.Read(container["readinessProbe"], container["ports"]),
        Liveness = ProbeSpec.Read(container["livenessProbe"], container["ports"]),
    };

    private static IEnumerable<string> Strings(JsonNode? list) => list?.AsArray().Select(s => (string)s!) ?? [];
}
