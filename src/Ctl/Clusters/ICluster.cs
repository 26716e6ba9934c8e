using System.Text.Json.Nodes;

namespace Weft.Ctl.Clusters;

/// <summary>A cluster to look into: its API, and programs on its nodes. Safe to use from any thread.</summary>
public interface ICluster : IDisposable
{
    /// <summary>For messages, for example <c>lab weft</c>.</summary>
    string Name { get; }

    /// <summary>The namespace of Weft's own objects.</summary>
    string SystemNamespace { get; }

    /// <summary>Reads from the API.</summary>
    /// <param name="path">For example <c>/api/v1/pods</c>.</param>
    /// <exception cref="CtlException">It refuses or does not answer.</exception>
    Task<JsonObject> GetAsync(string path, CancellationToken ct);

    /// <summary>Runs a program where the node's Open vSwitch answers (in the node's network), and waits for its end.</summary>
    /// <exception cref="CtlException">The node cannot be reached, or the program did not end within <paramref name="limit"/>.</exception>
    Task<CommandResult> RunAsync(string node, IReadOnlyList<string> command, TimeSpan limit, CancellationToken ct);

    /// <summary>Runs a program on a node whose output is bytes, into <paramref name="output"/>; cancelling ends it there.</summary>
    /// <returns>Its exit code and standard error.</returns>
    Task<CommandResult> StreamAsync(string node, IReadOnlyList<string> command, Stream output, CancellationToken ct);

    /// <summary>Where the node's agent keeps its last known state.</summary>
    string StateFile(string node);

    /// <summary>The last lines of a program's log: <c>controller</c> or a node's agent.</summary>
    /// <param name="node">The node, or null for the controller.</param>
    Task<string> LogAsync(string? node, int lines, CancellationToken ct);
}
