namespace Weft.Lab.Kubelet;

/// <summary>What a pod's status says of a container.</summary>
internal sealed record ContainerState
{
    public required string Name { get; init; }

    public required string Image { get; init; }

    /// <summary><c>waiting</c>, <c>running</c> or <c>terminated</c>.</summary>
    public string Phase { get; init; } = "waiting";

    public bool Ready { get; init; }

    public int Restarts { get; init; }

    public int ExitCode { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    /// <summary>One word, when there is more to say than the phase.</summary>
    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";
}
