using System.Text.RegularExpressions;
using System.Xml.Linq;
using Weft.Lab.Net;

namespace Weft.Chart.Tests;

/// <summary>The Dockerfiles as far as they can be judged without an engine and base images: every path, word and program that they name is there.</summary>
public sealed partial class ImageTests
{
    private static readonly string[] Images = ["controller", "agent", "ovs"];

    private static string Folder => Path.Combine(Helm.Root, "deploy/images");

    [TestCaseSource(nameof(Images))]
    public void What_is_copied_and_run_is_in_the_repository(string image)
    {
        var stages = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in File.ReadAllText(Path.Combine(Folder, $"{image}.Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
        {
            switch (line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                case ["FROM", .., "AS", var stage]:
                    stages.Add(stage);
                    break;
                case ["COPY", var from, _, _] when from.StartsWith("--from=", StringComparison.Ordinal):
                    Assert.That(stages, Does.Contain(from["--from=".Length..]), line);
                    break;
                case ["COPY", .. var paths]:
                    Assert.That(paths[..^1].Select(p => Path.Combine(Helm.Root, p)).Where(p => !Path.Exists(p)), Is.Empty, line);
                    break;
                case ["RUN", "deploy/images/publish", var what, "/out"]:
                    Assert.That(what, Is.EqualTo(image));
                    Assert.That(!OperatingSystem.IsWindows() && File.GetUnixFileMode(Path.Combine(Folder, "publish")).HasFlag(UnixFileMode.UserExecute), line);
                    break;
                case ["ENTRYPOINT", .. var words]:
                    var program = DllPattern().Match(string.Concat(words)) is { Success: true } dll ? AssemblyOf(image) == dll.Groups[1].Value : string.Concat(words) == """["/usr/local/bin/weft-ovs"]""";
                    Assert.That(program, line);
                    break;
                case ["RUN", .. var words] when words.Contains("apt-get"):
                    Assert.That(words, Does.Contain("--no-install-recommends").And.Contain("/var/lib/apt/lists/*"), line);
                    break;
            }
        }
    }

    [TestCase("docker")]
    [TestCase("podman")]
    [TestCase("buildah")]
    public async Task The_script_builds_every_image_with_each_tool(string tool)
    {
        var result = await Shell.TryRunAsync("bash", [Path.Combine(Folder, "build"), "--dry-run", "--tool", tool, "--registry", "example.org/net", "--tag", "v9"], null, null, TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines.Select(l => l.Split(" -t ")[1].Split(' ')[0]), Is.EqualTo(Images.Select(i => $"example.org/net/weft-{i}:v9")));
        Assert.That(lines, Has.All.StartsWith($"{tool} build -f deploy/images/"));
    }

    [TestCase("--tool", "kaniko", "--tool is 'kaniko'")]
    [TestCase("--tool", "docker", "there is no deploy/images/nothing.Dockerfile", "nothing")]
    public async Task A_wrong_word_is_named(string option, string value, string named, string image = "ovs")
    {
        var result = await Shell.TryRunAsync("bash", [Path.Combine(Folder, "build"), "--dry-run", option, value, image], null, null, TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((2, result.Error)));
        Assert.That(result.Error, Does.Contain(named));
    }

    /// <summary>What the image runs is what its project makes.</summary>
    private static string? AssemblyOf(string image) => XDocument
        .Load(Directory.EnumerateFiles(Path.Combine(Helm.Root, "src", char.ToUpperInvariant(image[0]) + image[1..]), "*.csproj").Single())
        .Descendants("AssemblyName").SingleOrDefault()?.Value;

    [GeneratedRegex(@"""/app/([\w-]+)\.dll""")]
    private static partial Regex DllPattern();
}
