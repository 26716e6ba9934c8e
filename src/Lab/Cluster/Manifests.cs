using Weft.Lab.Net;

namespace Weft.Lab.Cluster;

/// <summary>Applies manifests with stock kubectl.</summary>
internal static class Manifests
{
    /// <summary>Applies what <c>up</c> was asked to apply; what the server refuses is reported by name and skipped.</summary>
    public static async Task ApplyAsync(LabCluster lab, LabPrograms programs, Action<string> progress, CancellationToken ct)
    {
        var source = lab.State.Options.Manifests ?? programs.Demo;
        if (source.Length == 0)
        {
            return;
        }

        progress($"manifests of {source}");
        var result = await KubectlAsync(lab, ["apply", "--validate=false", "-R", "-f", source], ct);
        foreach (var line in result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            progress($"skipped: {line}");
        }
    }

    /// <summary>Applies the chart's CRDs.</summary>
    /// <exception cref="LabException">One was refused.</exception>
    public static async Task ApplyCrdsAsync(LabCluster lab, LabPrograms programs, CancellationToken ct)
    {
        if (Directory.Exists(programs.Crds))
        {
            var result = await KubectlAsync(lab, ["apply", "--validate=false", "-f", programs.Crds], ct);
            if (result.ExitCode != 0)
            {
                throw new LabException($"the CRDs in {programs.Crds} were refused: {result.Error}");
            }
        }
    }

    private static Task<ShellResult> KubectlAsync(LabCluster lab, string[] arguments, CancellationToken ct)
    {
        string[] command =
        [
            .. lab.Layout.ControlPlane.Wrap([Shell.Find("kubectl"), $"--kubeconfig={lab.Kubeconfig}",
                $"--cache-dir={lab.Layout.Folder}/kubectl", .. arguments]),
        ];
        return Shell.TryRunAsync(command[0], command[1..], input: null, environment: null, TimeSpan.FromMinutes(1), ct);
    }
}
