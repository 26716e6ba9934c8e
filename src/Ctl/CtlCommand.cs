using System.CommandLine;
using Weft.Ctl.Clusters;

namespace Weft.Ctl;

/// <summary>What commands have in common: a cluster, exit codes, errors in words.</summary>
public static class CtlCommand
{
    /// <summary>Lets a command run with the cluster that the command line names.</summary>
    /// <param name="command">The command.</param>
    /// <param name="work">Answers with an exit code of <see cref="ExitCodes"/>.</param>
    public static void OnCluster(this Command command, Func<ParseResult, ICluster, CancellationToken, Task<int>> work) =>
        command.SetAction(async (result, ct) =>
        {
            try
            {
                using var cluster = ClusterOptions.Open(result);
                return await work(result, cluster, ct).ConfigureAwait(false);
            }
            catch (CtlException e)
            {
                await Console.Error.WriteLineAsync($"weftctl: {e.Message}").ConfigureAwait(false);
                return ExitCodes.Failed;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return ExitCodes.Failed;
            }
        });
}
