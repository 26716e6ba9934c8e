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

        var shown = Path.GetRelativePath(programs.Root, source);
        progress($"manifests of {(shown.StartsWith("..", StringComparison.Ordinal) ? source : shown)}");
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

    /// <summary>Gives the controller the rights that the chart gives it, from the chart's own files, and nothing to anybody else.</summary>
    /// <exception cref="LabException">The server refused them.</exception>
    public static async Task ApplyRolesAsync(LabCluster lab, LabPrograms programs, CancellationToken ct)
    {
        const string name = "weft-controller";
        const string ns = LabCluster.SystemNamespace;
        var text = $"""
            {Role("ClusterRole", name, null, await File.ReadAllTextAsync(Path.Combine(programs.Roles, "controller-cluster.yaml"), ct))}
            ---
            {Role("Role", name, ns, await File.ReadAllTextAsync(Path.Combine(programs.Roles, "controller-namespace.yaml"), ct))}
            ---
            {Binding("ClusterRoleBinding", name, null, "ClusterRole", name)}
            ---
            {Binding("RoleBinding", name, ns, "Role", name)}
            ---
            {Binding("RoleBinding", name, "kube-system", "Role", "extension-apiserver-authentication-reader")}
            """;
        var file = Path.Combine(lab.Layout.Folder, "roles.yaml");
        await File.WriteAllTextAsync(file, text, ct);
        var result = await KubectlAsync(lab, ["apply", "--validate=false", "-f", file], ct);
        if (result.ExitCode != 0)
        {
            throw new LabException($"the roles in {programs.Roles} were refused: {result.Error}");
        }
    }

    private static string Role(string kind, string name, string? ns, string rules) => $"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: {kind}
        metadata: {Metadata(name, ns)}
        rules:
        {rules}
        """;

    private static string Binding(string kind, string name, string? ns, string roleKind, string role) => $"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: {kind}
        metadata: {Metadata(name, ns)}
        roleRef: {Braced($"apiGroup: rbac.authorization.k8s.io, kind: {roleKind}, name: {role}")}
        subjects: [{Braced($"kind: ServiceAccount, name: {ServiceAccounts.Controller}, namespace: {LabCluster.SystemNamespace}")}]
        """;

    private static string Metadata(string name, string? ns) => Braced(ns is null ? $"name: {name}" : $"name: {name}, namespace: {ns}");

    private static string Braced(string fields) => $"{{{fields}}}";

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
