using System.CommandLine;
using Weft.Ctl.Support;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl bundle</c>: an archive for those who help.</summary>
internal static class BundleCommand
{
    public static Command Create()
    {
        var write = new Option<string>("--write", "-w") { Description = "The archive", DefaultValueFactory = _ => "weft-bundle.tar.gz" };
        var lines = new Option<int>("--log-lines") { Description = "Lines of each log", DefaultValueFactory = _ => 2000 };
        var command = new Command("bundle", "Collect flows, states, objects and logs into an archive, without secrets.") { write, lines };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var file = result.GetValue(write)!;
            var names = await new SupportBundle(cluster, result.GetValue(lines)).WriteAsync(file, ct);
            Console.Out.WriteLine($"{file}: {names.Count} files, {new FileInfo(file).Length / 1024} KiB. Secrets, ConfigMaps, environments and arguments are left out.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
