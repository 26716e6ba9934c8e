using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Weft.TestSupport;

/// <summary>A program that ends no later than the test host that started it, however that host ends.</summary>
/// <remarks>A guard shell holds the other end of a pipe from this process and kills what is registered when the pipe closes.</remarks>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly Lazy<StreamWriter> Guard = new(StartGuard);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private ChildProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>True when the program has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What the program printed so far, both streams.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts <paramref name="file"/>, found through PATH or in the system's administration folders.</summary>
    public static ChildProcess Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = Process.Start(Describe(file, arguments, environment))
            ?? throw new InvalidOperationException($"{file} did not start");
        process.StandardInput.Close();
        Register('+', process.Id);
        return new ChildProcess(process);
    }

    /// <summary>Runs a program to its end and returns what it printed on standard output.</summary>
    /// <exception cref="InvalidOperationException">It ended with an error; the message holds what it printed.</exception>
    /// <exception cref="TimeoutException">It did not end within <paramref name="timeout"/> (30 s when not given) and was killed.</exception>
    public static async Task<string> RunAsync(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        string? input = null, TimeSpan? timeout = null)
    {
        var list = arguments.ToArray();
        using var process = Process.Start(Describe(file, list, environment))
            ?? throw new InvalidOperationException($"{file} did not start");
        Register('+', process.Id);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
            }

            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromSeconds(30));
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw new TimeoutException($"{file} {string.Join(' ', list)} did not end in time");
            }

            var text = await output;
            return process.ExitCode == 0 ? text : throw new InvalidOperationException(
                $"{file} {string.Join(' ', list)} ended with {process.ExitCode}: {await errors}{text}");
        }
        finally
        {
            Register('-', process.Id);
        }
    }

    /// <summary>Sends a signal by name ("TERM", "STOP", "CONT", "KILL").</summary>
    public async Task SignalAsync(string signal) =>
        await RunAsync("kill", ["-" + signal, Id.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Kills the program at once and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Register('-', _process.Id);
        _process.Dispose();
    }

    private static ProcessStartInfo Describe(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var info = new ProcessStartInfo(Find(file))
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private static string Find(string file)
    {
        if (file.Contains('/', StringComparison.Ordinal))
        {
            return file;
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin", "/usr/bin", "/bin"]);
        return folders.Select(f => Path.Combine(f, file)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{file} is not installed: run scripts/test once, it installs what the tests need");
    }

    private static void Register(char sign, int id)
    {
        lock (Guard)
        {
            Guard.Value.WriteLine($"{sign} {id}");
            Guard.Value.Flush();
        }
    }

    private static StreamWriter StartGuard()
    {
        // "read" ends when this process is gone. A set in a string is all that sh has.
        const string script = """
            p=" "
            while read -r sign id; do
              case $sign in
                +) p="$p$id " ;;
                -) case $p in *" $id "*) p="${p%% $id *} ${p#* $id }" ;; esac ;;
              esac
            done
            for id in $p; do kill -9 "$id"; done
            """;
        var info = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false };
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add(script);
        return Process.Start(info)!.StandardInput;
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
