using System.Text.Json;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary>Prometheus' own checker (scripts/lib/promtool); where it cannot be had, nothing is checked and the test's output says so.</summary>
internal static class Promtool
{
    private static readonly Lazy<Task<(string? Path, string Reason)>> Program = new(FindAsync);

    /// <summary>A page in the text format, with Prometheus' conventions for names and help.</summary>
    public static async Task AcceptsMetricsAsync(string page)
    {
        if (await PathAsync() is { } promtool)
        {
            var result = await Shell.TryRunAsync(promtool, ["check", "metrics"], page, null, TimeSpan.FromSeconds(30), CancellationToken.None);
            Assert.That((result.ExitCode, (result.Output + result.Error).Trim()), Is.EqualTo((0, "")), page);
        }
    }

    /// <summary>Expressions of PromQL.</summary>
    public static async Task AcceptsExpressionsAsync(IReadOnlyList<string> expressions)
    {
        if (await PathAsync() is { } promtool)
        {
            using var folder = new TemporaryFolder();
            var rules = expressions.Distinct().Select((e, i) => new { record = $"asked:{i}", expr = e });
            await File.WriteAllTextAsync(folder.File("rules.yaml"), JsonSerializer.Serialize(new { groups = new[] { new { name = "dashboard", rules } } }));
            var result = await Shell.TryRunAsync(promtool, ["check", "rules", folder.File("rules.yaml")], null, null, TimeSpan.FromSeconds(30), CancellationToken.None);
            Assert.That((result.ExitCode, result.Output + result.Error), Is.EqualTo((0, result.Output + result.Error)));
            Assert.That(result.Output, Does.Contain($"SUCCESS: {expressions.Distinct().Count()} rules found"));
        }
    }

    private static async Task<string?> PathAsync()
    {
        var (path, reason) = await Program.Value;
        if (path is null)
        {
            await TestContext.Out.WriteLineAsync($"not checked by promtool: {reason}");
        }

        return path;
    }

    private static async Task<(string? Path, string Reason)> FindAsync()
    {
        var result = await Shell.TryRunAsync(
            "bash", ["-c", $"cd '{new LabPrograms().Root}' && . scripts/lib/promtool && find_promtool >&2 && echo \"$WEFT_PROMTOOL\""], null, null, TimeSpan.FromMinutes(2), CancellationToken.None);
        return result.ExitCode == 0 ? (result.Output.Trim(), "") : (null, result.Error.Trim());
    }
}
