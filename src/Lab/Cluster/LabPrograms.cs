using System.Runtime.InteropServices;
using Weft.Lab.Net;

namespace Weft.Lab.Cluster;

/// <summary>Where the programs are that the lab starts: those of this checkout, built as this one is.</summary>
public sealed class LabPrograms
{
    private readonly string _root;
    private readonly string _configuration;
    private readonly string _dotnet;

    public LabPrograms()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        // .../bin/Debug/net10.0/
        _configuration = folder.Parent?.Name ?? "Debug";
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Ovs.sln")))
        {
            folder = folder.Parent;
        }

        _root = folder?.FullName ?? throw new LabException(
            $"{AppContext.BaseDirectory} is not inside a checkout: start the lab with scripts/lab of one");
        // .../dotnet/shared/Microsoft.NETCore.App/10.0.0/
        _dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
    }

    /// <summary>The checkout.</summary>
    public string Root => _root;

    /// <summary>This program.</summary>
    public IEnumerable<string> Lab => Managed("Lab", "weft-lab");

    /// <summary>The node agent: the published one that <c>WEFT_AGENT</c> names, else that of this build.</summary>
    public IEnumerable<string> Agent => Environment.GetEnvironmentVariable("WEFT_AGENT") is { Length: > 0 } given
        ? File.Exists(given) ? [_dotnet, given] : throw new LabException($"WEFT_AGENT is {given}: there is no such file")
        : Managed("Agent", "weft-agent");

    /// <summary>The cluster's controller.</summary>
    public IEnumerable<string> Controller => Managed("Controller", "weft-controller");

    /// <summary>The demo's manifests.</summary>
    public string Demo => Path.Combine(_root, "deploy/examples/demo");

    /// <summary>The folder of the chart's CRDs, which may not exist.</summary>
    public string Crds => Path.Combine(_root, "deploy/helm/weft/crds");

    /// <summary>The chart's rules for the controller: one list of rules a file.</summary>
    public string Roles => Path.Combine(_root, "deploy/helm/weft/rbac");

    /// <summary>The published CNI plugin: the one that <c>WEFT_CNI</c> names, else that of this checkout (compiled when its sources changed).</summary>
    public async Task<string> CniAsync(CancellationToken ct)
    {
        if (Environment.GetEnvironmentVariable("WEFT_CNI") is { Length: > 0 } given)
        {
            return File.Exists(given) ? given : throw new LabException($"WEFT_CNI is {given}: there is no such file");
        }

        var (exit, output, error) = await Shell.TryRunAsync(
            "bash", ["-c", $"cd '{_root}' && . scripts/lib/cni && publish_cni >&2 && echo \"$WEFT_CNI\""],
            input: null, environment: null, TimeSpan.FromMinutes(5), ct);
        return exit == 0 ? output.Trim() : throw new LabException($"the CNI plugin could not be compiled: {error.Trim()}");
    }

    private IEnumerable<string> Managed(string project, string assembly)
    {
        var file = Path.Combine(_root, "src", project, "bin", _configuration, "net10.0", assembly + ".dll");
        return File.Exists(file)
            ? [_dotnet, file]
            : throw new LabException($"{file} is missing: run 'dotnet build -c {_configuration}' in {_root}");
    }
}
