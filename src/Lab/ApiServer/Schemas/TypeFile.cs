namespace Weft.Lab.ApiServer;

/// <summary>The small tables that are embedded in this program: a line per entry, indented lines continue it, '#' starts a remark.</summary>
internal static class TypeFile
{
    public static IEnumerable<string> Lines(string name)
    {
        using var stream = typeof(TypeFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream);
        string? pending = null;
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] == ' ')
            {
                pending += line;
                continue;
            }

            if (pending is not null)
            {
                yield return pending;
            }

            pending = line;
        }

        yield return pending!;
    }
}
