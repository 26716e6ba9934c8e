using System.IO.Compression;
using System.Xml.Linq;

namespace Weft.TestSupport;

/// <summary>What <c>dotnet pack</c> makes of a project that is built already.</summary>
/// <param name="Files">Paths inside the package.</param>
/// <param name="Metadata">Elements of the nuspec by name, with their text.</param>
/// <param name="Readme">The text of the README inside.</param>
public sealed record NuGetPackage(IReadOnlyList<string> Files, IReadOnlyDictionary<string, string> Metadata, string Readme)
{
    /// <summary>The folder of the whole code base, found from the tests' own.</summary>
    public static string Root
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Directory.Packages.props")))
            {
                folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not inside the code base");
            }

            return folder;
        }
    }

    /// <summary>Packs <c>src/NAME</c> as it was built with the tests.</summary>
    public static async Task<NuGetPackage> PackAsync(string name)
    {
        using var folder = new TemporaryFolder();
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        await ChildProcess.RunAsync(
            Path.Combine(Path.GetDirectoryName(Environment.ProcessPath!)!, "dotnet"),
            ["pack", Path.Combine(Root, "src", name), "--no-build", "--no-restore", "-c", configuration, "-o", folder.Path, "-nologo", "-nodeReuse:false"],
            timeout: TimeSpan.FromMinutes(3));
        using var zip = ZipFile.OpenRead(Directory.GetFiles(folder.Path, "*.nupkg").Single());
        var nuspec = XDocument.Parse(Text(zip.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal))));
        var metadata = nuspec.Root!.Elements().Single().Elements().ToDictionary(e => e.Name.LocalName, e => e.Value);
        return new NuGetPackage([.. zip.Entries.Select(e => e.FullName)], metadata, Text(zip.Entries.Single(e => e.FullName == "README.md")));
    }

    private static string Text(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        return reader.ReadToEnd();
    }
}
