using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Weft.Kubernetes;

/// <summary>Asks a program for a token, a client certificate or both, as <c>users[].user.exec</c> of a kubeconfig says (client.authentication.k8s.io/v1).</summary>
/// <remarks>The answer is kept until it expires: at its <c>expirationTimestamp</c>, else when its certificate does, else after five minutes.</remarks>
public sealed class ExecTokenSource(ExecCommand command, TimeProvider time) : TokenSource, IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private Credential? _last;

    /// <inheritdoc/>
    public override X509Certificate2? Certificate => _last?.Certificate;

    /// <inheritdoc/>
    public override async ValueTask<string?> GetAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_last is not { } last || last.Until - time.GetUtcNow() < TimeSpan.FromSeconds(10))
            {
                // The old certificate is not disposed: connections that are being made may still hold it.
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

    private Credential Parse(string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var status = json.RootElement.GetProperty("status");
            var token = Text(status, "token");
            var (pem, key) = (Text(status, "clientCertificateData"), Text(status, "clientKeyData"));
            if (pem is null != key is null)
            {
                throw new KubernetesException($"{command.Program}: its status has one of clientCertificateData and clientKeyData; both are needed");
            }

            if ((token ?? pem) is null)
            {
                throw new KubernetesException($"{command.Program}: its status has neither token nor clientCertificateData and clientKeyData");
            }

            var certificate = pem is null ? null : X509Certificate2.CreateFromPem(pem, key);
            var until = Text(status, "expirationTimestamp") is { } at ? DateTimeOffset.Parse(at, CultureInfo.InvariantCulture)
                : certificate is not null ? new DateTimeOffset(certificate.NotAfter)
                : time.GetUtcNow().AddMinutes(5);
            return new Credential(token, certificate, until);
        }
        catch (CryptographicException e)
        {
            throw new KubernetesException($"{command.Program}: clientCertificateData or clientKeyData is not PEM: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new KubernetesException($"{command.Program}: its output is no ExecCredential: {e.Message}", e);
        }
    }

    private static string? Text(JsonElement status, string name) =>
        status.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null && value.GetString() is { Length: > 0 } text ? text : null;

    private sealed record Credential(string? Token, X509Certificate2? Certificate, DateTimeOffset Until);
}

/// <summary>A program that gives credentials.</summary>
public sealed record ExecCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string ApiVersion);
