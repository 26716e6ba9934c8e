using System.Text.Json.Nodes;
using Weft.Lab.Kubelet;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>The accounts of controller and agents with their tokens, as kubelet projects them into pods.</summary>
internal static class ServiceAccounts
{
    /// <summary>The controller's account; its rights are those in the chart's <c>rbac</c> folder.</summary>
    public const string Controller = "weft-controller";

    /// <summary>What the agents' tokens are for; at the API server they are worth nothing.</summary>
    public const string AgentAudience = "weft-controller";

    private const string Agent = "weft-agent";

    private const string Accounts = $"/api/v1/namespaces/{LabCluster.SystemNamespace}/serviceaccounts";

    /// <summary>Makes both accounts.</summary>
    public static async Task EnsureAsync(ClusterApi api, CancellationToken ct)
    {
        foreach (var name in (string[])[Controller, Agent])
        {
            await api.EnsureAsync(Accounts, new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "ServiceAccount",
                ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = LabCluster.SystemNamespace },
            }, ct);
        }
    }

    /// <summary>Asks for a token of the agents' account bound to a node.</summary>
    public static Task<string> RequestAgentTokenAsync(ClusterApi api, string node, CancellationToken ct) =>
        RequestAsync(api, Agent, new JsonObject
        {
            ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
            ["audiences"] = new JsonArray(AgentAudience),
        }, ct);

    /// <summary>Writes a kubeconfig with which the controller is itself and not the administrator.</summary>
    /// <returns>Its path.</returns>
    public static async Task<string> WriteControllerKubeconfigAsync(ClusterApi api, LabLayout layout, CancellationToken ct)
    {
        var folder = layout.ControllerFolder;
        await File.WriteAllTextAsync(Path.Combine(folder, "token"), await RequestAsync(api, Controller, [], ct), ct);
        var file = Path.Combine(folder, "kubeconfig");
        await File.WriteAllTextAsync(file, $$"""
            apiVersion: v1
            kind: Config
            current-context: lab
            contexts:
            - name: lab
              context: {cluster: lab, user: {{Controller}}}
            clusters:
            - name: lab
              cluster:
                server: https://{{Underlay.V4(Underlay.ControlPlaneHost)}}:6443
                certificate-authority: {{Path.Combine(layout.ApiServerFolder, "ca.crt")}}
            users:
            - name: {{Controller}}
              user: {tokenFile: {{Path.Combine(folder, "token")}}}

            """, ct);
        return file;
    }

    private static async Task<string> RequestAsync(ClusterApi api, string account, JsonObject spec, CancellationToken ct)
    {
        spec["expirationSeconds"] = 7 * 24 * 3600;
        var answer = await api.CreateAsync($"{Accounts}/{account}/token", new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = spec,
        }, ct);
        return (string)answer["status"]!["token"]!;
    }
}
