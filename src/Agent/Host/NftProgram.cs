using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Weft.Agent.Host;

/// <summary>Runs nft(8).</summary>
internal static class NftProgram
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Starts it in the namespaces of the calling thread.</summary>
    /// <exception cref="NftException">It is not installed.</exception>
    public static Process Start(string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("nft", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            })!;
        }
        catch (Win32Exception e)
        {
            throw new NftException($"nft cannot be started: {e.Message}; install the package nftables", e);
        }
    }

    /// <summary>Gives it a script and waits for its end.</summary>
    /// <exception cref="NftException">It hangs, or ended before it read the script.</exception>
    public static async Task<(int ExitCode, string Output, string Errors)> CommunicateAsync(Process process, string script, CancellationToken ct)
    {
        using var owned = process;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(TimeLimit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.StandardInput.WriteAsync(script.AsMemory(), timeout.Token).ConfigureAwait(false);
            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            return (process.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new NftException($"nft did not end within {TimeLimit.TotalSeconds:0} s");
        }
        catch (IOException e)
        {
            throw new NftException($"nft ended before it read its script: {e.Message}", e);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}

/// <summary>The nftables table could not be read or set.</summary>
public sealed class NftException(string message, Exception? inner = null) : Exception(message, inner);
