using System.Diagnostics;

namespace Weft.Lab.Net;

/// <summary>Runs a program to its end.</summary>
public static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs <paramref name="program"/> and returns what it wrote to standard output.</summary>
    /// <exception cref="LabException">It failed or did not end within 30 s; the message has the command and what it wrote to standard error.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? input = null, CancellationToken ct = default)
    {
        var (exit, output, error) = await TryRunAsync(program, arguments, input, environment: null, Patience, ct);
        return exit == 0 ? output : throw new LabException($"{program} {string.Join(' ', arguments)} ended with {exit}: {(error + output).Trim()}");
    }

    /// <summary>Runs <paramref name="program"/>; a failure is a result, not an exception.</summary>
    /// <exception cref="LabException">The program is not installed, or did not end in time and was killed.</exception>
    public static async Task<ShellResult> TryRunAsync(
        string program,
        IEnumerable<string> arguments,
        string? input,
        IReadOnlyDictionary<string, string>? environment,
        TimeSpan patience,
        CancellationToken ct)
    {
        patience *= Slowness.Factor;
        using var process = Start(program, arguments, environment);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await WriteInputAsync(process, input);
            await process.WaitForExitAsync(limit.Token);
            return new ShellResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new LabException($"{program} {string.Join(' ', arguments)} did not end within {patience.TotalSeconds:0} s");
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(Find(program))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static async Task WriteInputAsync(Process process, string? input)
    {
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading all of it; its exit code and words say why.
        }
    }

    /// <summary>The path of an installed program; administrators' folders are often not in a user's PATH.</summary>
    /// <exception cref="LabException">It is not installed.</exception>
    public static string Find(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? program
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
                .Select(folder => Path.Combine(folder, program))
                .FirstOrDefault(File.Exists)
            ?? throw new LabException($"{program} is not installed: start the lab with scripts/lab, which installs what it needs");
}

/// <summary>How a program ended.</summary>
public sealed record ShellResult(int ExitCode, string Output, string Error);
