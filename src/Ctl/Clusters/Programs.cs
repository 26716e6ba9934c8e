using System.Diagnostics;

namespace Weft.Ctl.Clusters;

/// <summary>Runs programs of this machine.</summary>
internal static class Programs
{
    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="CtlException">It is not installed, or took too long.</exception>
    public static async Task<CommandResult> RunAsync(IReadOnlyList<string> command, TimeSpan limit, CancellationToken ct)
    {
        using var output = new MemoryStream();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        stop.CancelAfter(limit);
        try
        {
            var result = await StreamAsync(command, output, stop.Token).ConfigureAwait(false);
            return result with { Output = System.Text.Encoding.UTF8.GetString(output.ToArray()) };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new CtlException($"'{string.Join(' ', command)}' did not end within {limit.TotalSeconds:0} s");
        }
    }

    /// <summary>Runs a program and copies what it prints. Cancelling asks it to end (SIGTERM) and waits until it has.</summary>
    public static async Task<CommandResult> StreamAsync(IReadOnlyList<string> command, Stream output, CancellationToken ct)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Start(start);
        process.StandardInput.Close();
        var copied = process.StandardOutput.BaseStream.CopyToAsync(output, CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process).ConfigureAwait(false);
            await Task.WhenAll(copied, error).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await copied.ConfigureAwait(false);
        return new CommandResult(process.ExitCode, "", await error.ConfigureAwait(false));
    }

    private static async Task EndAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CtlException($"'{start.FileName}' cannot be started: {e.Message}; install it or put it on the PATH", e);
        }
    }
}
