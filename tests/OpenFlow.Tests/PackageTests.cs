using Weft.OpenFlow.Tests.Switch;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests;

/// <summary>What somebody gets who adds the package and follows its README.</summary>
public sealed class PackageTests
{
    [Test]
    public async Task The_package_has_library_documentation_readme_and_license()
    {
        var package = await NuGetPackage.PackAsync("OpenFlow");
        Assert.Multiple(() =>
        {
            Assert.That(package.Files, Does.Contain("lib/net10.0/Weft.OpenFlow.dll").And.Contain("lib/net10.0/Weft.OpenFlow.xml"));
            Assert.That(package.Metadata["id"], Is.EqualTo("Weft.OpenFlow"));
            Assert.That(package.Metadata["license"], Is.EqualTo("Apache-2.0"));
            Assert.That(package.Metadata["readme"], Is.EqualTo("README.md"));
            Assert.That(package.Metadata["description"], Does.Contain("OpenFlow 1.3"));
            Assert.That(package.Metadata["tags"], Does.Contain("openvswitch"));
            Assert.That(package.Readme, Does.Contain("```csharp"));
            Assert.That(package.Metadata["dependencies"], Is.Empty, "nothing but the framework");
        });
    }

    [Test]
    public async Task The_example_of_the_readme_programs_a_switch()
    {
        await using var real = await RealSwitch.StartAsync();
        var printed = await Example.ReadmeExample.RunAsync(real.Endpoint);
        Assert.That(printed, Is.EqualTo(new[] { "priority=100,tcp,tp_dst=80 actions=load:0x5->NXM_NX_REG0[0..3],goto_table:10" }));
    }

    [Test]
    public async Task The_example_that_runs_is_the_one_of_the_readme()
    {
        var readme = await File.ReadAllLinesAsync(Path.Combine(NuGetPackage.Root, "src/OpenFlow/README.md"));
        var example = await File.ReadAllLinesAsync(Path.Combine(NuGetPackage.Root, "tests/OpenFlow.Tests/ReadmeExample.cs"));
        var shown = Between(readme, "```csharp", "```").Where(l => !l.StartsWith("using ", StringComparison.Ordinal) && !l.StartsWith("var endpoint", StringComparison.Ordinal) && l.Length > 0);
        var runs = Between(example, "// README", "// end").Where(l => l.Length > 0).Select(l => l.Replace("printed.Add(flow.Flow.ToString())", "Console.WriteLine(flow.Flow)", StringComparison.Ordinal));
        Assert.That(runs.Select(l => l.Trim()), Is.EqualTo(shown.Select(l => l.Trim())));
    }

    private static IEnumerable<string> Between(IEnumerable<string> lines, string begin, string end) =>
        lines.SkipWhile(l => l.Trim() != begin).Skip(1).TakeWhile(l => l.Trim() != end);
}
