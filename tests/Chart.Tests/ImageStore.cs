using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;

namespace Weft.Chart.Tests;

/// <summary>Images built by <c>deploy/images/build</c> with buildah, in a folder of their own, on stand-ins of the base images (scripts/lib/images).</summary>
internal sealed class ImageStore : IDisposable
{
    private static readonly string Root = new LabPrograms().Root;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weft-images-");
    private readonly HashSet<string> _built = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _mounts = new(StringComparer.Ordinal);

    /// <summary>Why images cannot be built here, or null.</summary>
    public static string? Missing =>
        Environment.GetEnvironmentVariable("WEFT_TEST_FULL") != "1" ? "scripts/test images builds the images; it takes minutes"
        : Environment.UserName != "root" ? "images are built as root"
        : ((string[])["buildah", "debootstrap", "dotnet"]).FirstOrDefault(p => !Exists(p)) is { } program ? $"there is no {program}"
        : null;

    /// <summary>Makes what stands for the base images.</summary>
    public Task<string> MakeBasesAsync() => BashAsync("make_bases && buildah images", TimeSpan.FromMinutes(10));

    /// <summary>Builds an image, once a tag, and gives its name.</summary>
    public async Task<string> BuildAsync(string image, string tag = "one")
    {
        if (_built.Add($"{image}:{tag}"))
        {
            await BashAsync($"deploy/images/build --tool buildah --registry localhost --tag {tag} {image}", TimeSpan.FromMinutes(9));
        }

        return $"localhost/weft-{image}:{tag}";
    }

    /// <summary>A part of the image's description, by a Go template.</summary>
    public async Task<string> InspectAsync(string name, string template) =>
        (await BashAsync($"buildah inspect --type image --format '{template}' {name}", TimeSpan.FromMinutes(1))).Trim();

    /// <summary>The size in bytes of every image by its name, as buildah counts it.</summary>
    public async Task<IReadOnlyDictionary<string, long>> SizesAsync()
    {
        var list = JsonNode.Parse(await BashAsync("buildah images --json", TimeSpan.FromMinutes(1)))!.AsArray();
        return list.SelectMany(i => i!["names"]!.AsArray().Select(n => KeyValuePair.Create((string)n!, Bytes((string)i["size"]!)))).ToDictionary();

        // "296 MB", "1.3 GB"
        static long Bytes(string size) => size.Split(' ') is [var number, var unit]
            ? (long)(double.Parse(number, CultureInfo.InvariantCulture) * (unit switch { "GB" => 1e9, "MB" => 1e6, "KB" => 1e3, _ => 1 }))
            : throw new InvalidDataException(size);
    }

    /// <summary>Lays an image's files out and gives their folder; it can be written.</summary>
    public async Task<string> MountAsync(string image)
    {
        if (!_mounts.TryGetValue(image, out var folder))
        {
            var name = await BuildAsync(image);
            folder = (await BashAsync($"buildah mount $(buildah from {name})", TimeSpan.FromMinutes(3))).Trim();
            _mounts[image] = folder;
        }

        return folder;
    }

    public void Dispose()
    {
        foreach (var folder in _mounts.Values)
        {
            // What a failed test left mounted would otherwise be deleted through.
            Assert.That(File.ReadLines("/proc/self/mounts").Where(l => l.Contains(folder, StringComparison.Ordinal)), Is.Empty);
        }

        _folder.Delete(recursive: true);
    }

    private async Task<string> BashAsync(string command, TimeSpan limit)
    {
        var result = await Shell.TryRunAsync(
            "bash", ["-c", $"cd '{Root}' && . scripts/lib/images && image_storage '{_folder.FullName}' && {command}"], null, null, limit, CancellationToken.None);
        Assert.That(result.ExitCode, Is.Zero, $"{command}\n{Tail(result.Output)}\n{Tail(result.Error)}");
        return result.Output;

        static string Tail(string text) => text.Length > 4000 ? text[^4000..] : text;
    }

    private static bool Exists(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Any(d => File.Exists(Path.Combine(d, program)));
}
