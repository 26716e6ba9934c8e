using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Agent.NodeCommands;

/// <summary>The plugin and its configuration in the node's folders.</summary>
internal static class CniFiles
{
    /// <summary>The plugin's name, and the <c>type</c> that names it.</summary>
    public const string PluginName = "weft-cni";

    /// <summary>Puts both there. Each is replaced in one step; the configuration last, because it is what makes the runtime call the plugin.</summary>
    /// <exception cref="IOException">A folder cannot be written.</exception>
    public static void Install(string plugin, string binDir, string confDir, string confName, string socket)
    {
        Directory.CreateDirectory(binDir);
        Directory.CreateDirectory(confDir);
        Replace(Path.Combine(binDir, PluginName), part =>
        {
            File.Copy(plugin, part, overwrite: true);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
                    | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            }
        });
        Replace(Path.Combine(confDir, confName), part => File.WriteAllText(part, Configuration(binDir, socket)));
        Console.Out.WriteLine($"installed {PluginName} in {binDir} and {confName} in {confDir}");
    }

    /// <summary>Takes both away; what is not there is no error.</summary>
    public static void Remove(string binDir, string confDir, string confName)
    {
        File.Delete(Path.Combine(confDir, confName));
        File.Delete(Path.Combine(binDir, PluginName));
    }

    private static string Configuration(string binDir, string socket)
    {
        var plugins = new JsonArray(new JsonObject
        {
            ["type"] = PluginName,
            ["socket"] = socket,
            ["capabilities"] = new JsonObject { ["bandwidth"] = true, ["ips"] = true, ["mac"] = true },
        });
        // hostPort of pods is the standard plugin's work, where the node has it.
        if (File.Exists(Path.Combine(binDir, "portmap")))
        {
            plugins.Add(new JsonObject { ["type"] = "portmap", ["snat"] = true, ["capabilities"] = new JsonObject { ["portMappings"] = true } });
        }

        return new JsonObject { ["cniVersion"] = "1.0.0", ["name"] = "weft", ["plugins"] = plugins }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    // The runtime reads .conflist, .conf and .json files only: the part is never seen.
    private static void Replace(string path, Action<string> write)
    {
        var part = path + ".part";
        write(part);
        File.Move(part, path, overwrite: true);
    }
}
