using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;

namespace Weft.Ctl.Tests;

/// <summary>Runs the program as a person does.</summary>
internal static class Weftctl
{
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "weftctl.dll");

    public static readonly string Dotnet = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath!)!, "dotnet");

    /// <summary>Runs it and returns everything.</summary>
    public static Task<ShellResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Shell.TryRunAsync(Dotnet, [Program, .. arguments], null, environment, TimeSpan.FromMinutes(2), CancellationToken.None);

    /// <summary>Runs it on a lab and returns what it printed; another exit code fails the test.</summary>
    public static async Task<string> OutputAsync(LabCluster lab, int exitCode, params string[] arguments)
    {
        var result = await RunAsync([.. arguments, "--lab", lab.Layout.Name]);
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), $"weftctl {string.Join(' ', arguments)}: {result.Error}{result.Output}");
        return result.Output;
    }

    /// <summary>The same with <c>-o json</c>.</summary>
    public static async Task<JsonNode> JsonAsync(LabCluster lab, int exitCode, params string[] arguments) =>
        JsonNode.Parse(await OutputAsync(lab, exitCode, [.. arguments, "-o", "json"]))!;
}
