using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.State;
using Weft.Lab.Tests.EndToEnd;

namespace Weft.Ctl.Tests;

/// <summary>Runs every command of the README's walk and of the guides on a lab with the demo: what the pages show is what comes.</summary>
/// <remarks>With <c>WEFT_UPDATE_GUIDES=1</c> the pages get what came instead; look at the difference before you commit it.</remarks>
public sealed class GuideTests
{
    private static readonly string Root = new LabPrograms().Root;
    private static readonly string Name = TestLab.NameOf("doc");

    // The README's walk begins with a lab of its own and leaves a tenant in it.
    private static IEnumerable<string> Pages => ["docs/guide/policies.md", "docs/guide/services.md", "docs/guide/troubleshooting.md", "README.md"];

    [OneTimeSetUp]
    public async Task UpAsync()
    {
        var lab = await LabCluster.UpAsync(new LabOptions { Name = Name }, TestContext.Progress.WriteLine, CancellationToken.None);
        await lab.WaitForPodsAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        await lab.WaitForReportsAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
    }

    [OneTimeTearDown]
    public Task DownAsync() => LabRemoval.DownAsync(new LabLayout(Name), CancellationToken.None);

    [TestCaseSource(nameof(Pages))]
    public async Task Every_command_prints_what_the_page_says(string page)
    {
        var file = Path.Combine(Root, page);
        var before = await File.ReadAllTextAsync(file);
        var after = await new Guide(file).RunAsync(RunAsync);
        if (Environment.GetEnvironmentVariable("WEFT_UPDATE_GUIDES") == "1")
        {
            await File.WriteAllTextAsync(file, after);
            return;
        }

        Assert.That(Guide.Normalise(after), Is.EqualTo(Guide.Normalise(before)), $"{page} shows something else than what comes; WEFT_UPDATE_GUIDES=1 writes it anew");
    }

    /// <summary>The command as written, on a lab of our own name.</summary>
    private static async Task<string> RunAsync(string command)
    {
        var here = command
            .Replace("scripts/lab ", $"scripts/lab --name {Name} ", StringComparison.Ordinal)
            .Replace("scripts/weftctl ", $"scripts/weftctl --lab {Name} ", StringComparison.Ordinal);
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var result = await Shell.TryRunAsync("bash", ["-c", $"cd '{Root}' && {here}"], null,
            // A build server that stays would keep the pipe open.
            new Dictionary<string, string> { ["WEFT_CONFIGURATION"] = configuration, ["MSBUILDDISABLENODEREUSE"] = "1" }, TimeSpan.FromMinutes(8), CancellationToken.None);
        // Programs that end with 3 gave an answer, and it is no.
        Assert.That(result.ExitCode, Is.Zero.Or.EqualTo(ExitCodes.No), $"$ {command}\n{result.Error}{result.Output}");
        return result.Output.Replace($" --name {Name}", "", StringComparison.Ordinal).Replace($"lab {Name}", "lab weft", StringComparison.Ordinal);
    }
}
