using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>What every cluster has from its first moment: system namespaces and the Service of the API server itself.</summary>
public static class SystemObjects
{
    /// <summary>The common name under which this server asks servers of other APIs.</summary>
    public const string FrontProxyName = "front-proxy-client";

    /// <summary>The name in the certificate with which requests come to aggregated API servers.</summary>
    public const string FrontProxyUser = "front-proxy-client";

    public static void Ensure(ObjectOperations operations, ApiServerOptions options, Uri server, string authority)
    {
        var namespaces = operations.Registry.Find("", "v1", "namespaces")!;
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
        {
            Create(operations, namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
        }

        Create(operations, operations.Registry.Find("", "v1", "configmaps")!, "kube-system", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "extension-apiserver-authentication" },
            ["data"] = new JsonObject { ["client-ca-file"] = authority, ["requestheader-client-ca-file"] = authority, ["requestheader-allowed-names"] = $"[\"{FrontProxyName}\"]" },
        });
        var labels = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" };
        Create(operations, operations.Registry.Find("", "v1", "services")!, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = labels.DeepClone() },
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = options.ServiceCidrs[0].Address(1).ToString(),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = 443, ["protocol"] = "TCP", ["targetPort"] = server.Port }),
            },
        });
        PublishAddress(operations, server);
        EnsureRoles(operations);
    }

    /// <summary>The roles that charts refer to by name.</summary>
    private static void EnsureRoles(ObjectOperations operations)
    {
        const string all = """{"apiGroups":["*"],"resources":["*"],"verbs":["*"]},{"nonResourceURLs":["*"],"verbs":["*"]}""";
        const string read = """{"apiGroups":["*"],"resources":["*"],"verbs":["get","list","watch"]}""";
        const string delegator = """{"apiGroups":["authentication.k8s.io"],"resources":["tokenreviews"],"verbs":["create"]},{"apiGroups":["authorization.k8s.io"],"resources":["subjectaccessreviews"],"verbs":["create"]}""";
        const string headers = """{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["extension-apiserver-authentication"],"verbs":["get","list","watch"]}""";
        foreach (var (kind, ns, name, rules) in ((string, string, string, string)[])
        [
            ("clusterroles", "", "cluster-admin", all),
            ("clusterroles", "", "view", read),
            ("clusterroles", "", "system:auth-delegator", delegator),
            ("roles", "kube-system", "extension-apiserver-authentication-reader", headers),
        ])
        {
            Create(operations, operations.Registry.Find("rbac.authorization.k8s.io", "v1", kind)!, ns,
                new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["rules"] = JsonNode.Parse($"[{rules}]") });
        }
    }

    /// <summary>The EndpointSlice of the Service "kubernetes"; the port may differ from the last start's.</summary>
    private static void PublishAddress(ObjectOperations operations, Uri server)
    {
        var slices = operations.Registry.Find("discovery.k8s.io", "v1", "endpointslices")!;
        var isIpv6 = server.HostNameType == UriHostNameType.IPv6;
        var slice = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = "kubernetes" } },
            ["addressType"] = isIpv6 ? "IPv6" : "IPv4",
            ["endpoints"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(server.Host.Trim('[', ']')), ["conditions"] = new JsonObject { ["ready"] = true } }),
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = server.Port, ["protocol"] = "TCP" }),
        };
        if (operations.Store.Find(slices.StorageKey, "default", "kubernetes") is null)
        {
            Create(operations, slices, "default", slice);
            return;
        }

        operations.Update(slices, "default", "kubernetes", old =>
        {
            foreach (var name in (string[])["endpoints", "ports"])
            {
                old[name] = slice[name]!.DeepClone();
            }

            return old;
        }, WriteOptions.Internal);
    }

    private static void Create(ObjectOperations operations, ResourceType type, string ns, JsonObject tree)
    {
        if (operations.Store.Find(type.StorageKey, ns, tree.Text("metadata", "name")!) is null)
        {
            operations.Create(type, ns, tree, WriteOptions.Internal);
        }
    }
}
