using System.Diagnostics;
using System.Text.Json;

namespace Weft.Kubernetes;

/// <summary>Asks a program for the token, as <c>users[].user.exec</c> of a kubeconfig says (client.authentication.k8s.io/v1).</summary>
/// <remarks>The answer is kept until it expires. Programs that give client certificates instead of tokens are refused with a message.</remarks>
public sealed class ExecTokenSource(ExecCommand command, TimeProvider time) : TokenSource, IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private (string Token, DateTimeOffset Until)? _last;

    /// <inheritdoc/>
    public override async ValueTask<string?> GetAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_last is not { } last || last.Until - time.GetUtcNow() < TimeSpan.FromSeconds(10))
            {
                _last = last = Parse(await RunAsync(ct).ConfigureAwait(false));
            }

            return last.Token;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<string> RunAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["KUBERNETES_EXEC_INFO"] =
            $$"""{"apiVersion":"{{command.ApiVersion}}","kind":"ExecCredential","spec":{"interactive":false} }""";
        try
        {
            using var process = Process.Start(start) ?? throw new KubernetesException($"{command.Program}: did not start");
            var error = process.StandardError.ReadToEndAsync(ct);
            var output = await process.StandardOutput.ReadToEndAsync(ct).ConfigureAwait(false);
            await process.WaitForExitAsync(ct).ConfigureAwait(false);
            return process.ExitCode == 0
                ? output
                : throw new KubernetesException($"{command.Program}: exit code {process.ExitCode}: {(await error.ConfigureAwait(false)).Trim()}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new KubernetesException($"users[].user.exec.command '{command.Program}': {e.Message}; install it, or use another user", e);
        }
    }

    private (string Token, DateTimeOffset Until) Parse(string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var status = json.RootElement.GetProperty("status");
            if (!status.TryGetProperty("token", out var token))
            {
                throw new KubernetesException($"{command.Program}: its status has no token; client certificates from exec are not supported");
            }

            var until = status.TryGetProperty("expirationTimestamp", out var at) ? at.GetDateTimeOffset() : time.GetUtcNow().AddMinutes(5);
            return (token.GetString()!, until);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new KubernetesException($"{command.Program}: its output is no ExecCredential: {e.Message}", e);
        }
    }
}

/// <summary>A program that gives credentials.</summary>
public sealed record ExecCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string ApiVersion);
