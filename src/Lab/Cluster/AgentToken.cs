using System.Text.Json.Nodes;
using Weft.Lab.Kubelet;

namespace Weft.Lab.Cluster;

/// <summary>The token with which a node's agent names itself to the controller, as kubelet projects it into the agent's pod.</summary>
internal static class AgentToken
{
    private const string Account = "weft-agent";

    private const string Accounts = $"/api/v1/namespaces/{LabCluster.SystemNamespace}/serviceaccounts";

    /// <summary>Makes the agents' account.</summary>
    public static Task EnsureAccountAsync(ClusterApi api, CancellationToken ct) => api.EnsureAsync(Accounts, new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ServiceAccount",
        ["metadata"] = new JsonObject { ["name"] = Account, ["namespace"] = LabCluster.SystemNamespace },
    }, ct);

    /// <summary>Asks for a token of the account bound to a node.</summary>
    public static async Task<string> RequestAsync(ClusterApi api, string node, CancellationToken ct)
    {
        var answer = await api.CreateAsync($"{Accounts}/{Account}/token", new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["expirationSeconds"] = 7 * 24 * 3600,
                ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
            },
        }, ct);
        return (string)answer["status"]!["token"]!;
    }
}
