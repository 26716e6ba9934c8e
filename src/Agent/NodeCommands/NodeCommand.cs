namespace Weft.Agent.NodeCommands;

/// <summary>What this program does in the chart's other containers: puts the plugin on the node, takes everything away again.</summary>
public static class NodeCommand
{
    /// <summary>How to call them.</summary>
    public const string Usage = """
        usage: weft-agent --config FILE [--verify]
               weft-agent install-cni --bin-dir DIR --conf-dir DIR --conf-name NAME --socket PATH [--plugin FILE]
               weft-agent clean-node --bin-dir DIR --conf-dir DIR --conf-name NAME --socket PATH --state-dir DIR --ovs-run-dir DIR --bridge NAME
               weft-agent wait

        --verify  Runs no agent, but compares what the switch and the host hold with what an agent would plan from nothing: from the last
                  node state on disk and the ports in OVSDB. Prints each difference, changes nothing, ends with 1 when there are any.
        """;

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The exit code, or null when they name none of these.</returns>
    public static async Task<int?> TryRunAsync(string[] arguments, CancellationToken ct)
    {
        if (arguments is not [("install-cni" or "clean-node" or "wait") and var name, .. var rest])
        {
            return null;
        }

        try
        {
            var options = Options(rest);
            switch (name)
            {
                case "install-cni":
                    CniFiles.Install(options("--plugin", Path.Combine(AppContext.BaseDirectory, CniFiles.PluginName)), options("--bin-dir", null), options("--conf-dir", null),
                        options("--conf-name", null), options("--socket", null));
                    break;
                case "clean-node":
                    await NodeCleaner.RunAsync(options, ct).ConfigureAwait(false);
                    break;
                default:
                    await Task.Delay(Timeout.InfiniteTimeSpan, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
            }

            return 0;
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync($"weft-agent {name}: {e.Message}\n{Usage}").ConfigureAwait(false);
            return 2;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException)
        {
            await Console.Error.WriteLineAsync($"weft-agent {name}: {e.Message}").ConfigureAwait(false);
            return 1;
        }
    }

    private static Func<string, string?, string> Options(string[] arguments)
    {
        var values = arguments.Chunk(2).ToDictionary(p => p[0], p => p is [_, var value] ? value : throw new ArgumentException($"{p[0]} has no value"), StringComparer.Ordinal);
        return (name, otherwise) => values.GetValueOrDefault(name) ?? otherwise ?? throw new ArgumentException($"{name} is missing");
    }
}
