using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>A startup, readiness or liveness probe. Times in seconds.</summary>
public sealed record ProbeSpec
{
    /// <summary><c>http</c>, <c>tcp</c>, <c>grpc</c> or <c>exec</c>.</summary>
    public required string Kind { get; init; }

    public int Port { get; init; }

    /// <summary>Another address than the pod's; null: the pod's.</summary>
    public string? Host { get; init; }

    public string HttpPath { get; init; } = "/";

    /// <summary>Which service a gRPC probe asks for; empty: the server as a whole.</summary>
    public string GrpcService { get; init; } = "";

    public IReadOnlyList<string> Command { get; init; } = [];

    public int InitialDelay { get; init; }

    public int Period { get; init; } = 10;

    public int Timeout { get; init; } = 1;

    public int FailureThreshold { get; init; } = 3;

    public int SuccessThreshold { get; init; } = 1;

    /// <summary>Reads a probe; null when there is none.</summary>
    public static ProbeSpec? Read(JsonNode? probe, JsonNode? ports)
    {
        if (probe is null)
        {
            return null;
        }

        var common = new ProbeSpec
        {
            Kind = "",
            InitialDelay = (int?)probe["initialDelaySeconds"] ?? 0,
            Period = (int?)probe["periodSeconds"] ?? 10,
            Timeout = (int?)probe["timeoutSeconds"] ?? 1,
            FailureThreshold = (int?)probe["failureThreshold"] ?? 3,
            SuccessThreshold = (int?)probe["successThreshold"] ?? 1,
        };
        return probe switch
        {
            _ when probe["httpGet"] is { } http => common with
            {
                Kind = "http", Port = PortOf(http["port"]!, ports), Host = (string?)http["host"], HttpPath = (string?)http["path"] ?? "/",
            },
            _ when probe["tcpSocket"] is { } tcp => common with { Kind = "tcp", Port = PortOf(tcp["port"]!, ports), Host = (string?)tcp["host"] },
            _ when probe["grpc"] is { } grpc => common with { Kind = "grpc", Port = (int)grpc["port"]!, GrpcService = (string?)grpc["service"] ?? "" },
            _ when probe["exec"] is { } exec => common with { Kind = "exec", Command = [.. exec["command"]!.AsArray().Select(s => (string)s!)] },
            _ => null,
        };
    }

    private static int PortOf(JsonNode port, JsonNode? ports) =>
        port.GetValueKind() == JsonValueKind.Number
            ? (int)port
            : (int?)ports?.AsArray().FirstOrDefault(p => (string?)p!["name"] == (string)port!)?["containerPort"]
                ?? throw new FormatException($"a probe names the port '{port}', which no container port has");
}
