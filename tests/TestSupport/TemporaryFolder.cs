namespace Weft.TestSupport;

/// <summary>A folder of its own, short enough for unix sockets, removed at the end.</summary>
/// <param name="parent">Where it is made; null: the system's temporary folder.</param>
public sealed class TemporaryFolder(string? parent = null) : IDisposable
{
    /// <summary>The folder's absolute path.</summary>
    public string Path { get; } = parent is null
        ? Directory.CreateTempSubdirectory("weft-").FullName
        : Directory.CreateDirectory(System.IO.Path.Combine(parent, $"weft-{Guid.NewGuid():N}")).FullName;

    /// <summary>The path of a file in the folder.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
