using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Decides by roles and bindings (RBAC), when that is switched on.</summary>
public sealed class Authorizer(ObjectStore store, AuthorizationMode mode)
{
    private const string Suffix = ".rbac.authorization.k8s.io";

    /// <exception cref="ApiException">403, in the API server's words.</exception>
    public void Check(ApiRequest request)
    {
        var question = AccessQuestion.Of(request);
        if (Allows(request.User, question, out _))
        {
            return;
        }

        var user = request.User.Name;
        if (question.Path is not null)
        {
            throw new ApiException(403, "Forbidden", $"forbidden: User \"{user}\" cannot {question.Verb} path \"{question.Path}\"", []);
        }

        var where = question.Namespace.Length > 0 && question.Resource != "namespaces" ? $"in the namespace \"{question.Namespace}\"" : "at the cluster scope";
        var qualified = question.Group.Length == 0 ? question.Resource.Split('/')[0] : $"{question.Resource.Split('/')[0]}.{question.Group}";
        throw new ApiException(403, "Forbidden",
            $"{qualified}{(question.Name.Length > 0 ? $" \"{question.Name}\"" : "")} is forbidden: User \"{user}\" cannot {question.Verb} resource \"{question.Resource}\" in API group \"{question.Group}\" {where}",
            new JsonObject { ["name"] = question.Name, ["group"] = question.Group, ["kind"] = question.Resource });
    }

    /// <param name="why">The binding and role that allow it.</param>
    public bool Allows(UserInfo user, AccessQuestion question, out string why)
    {
        why = "";
        if (mode == AuthorizationMode.AlwaysAllow || user.IsMaster || IsOpen(user, question))
        {
            return true;
        }

        foreach (var binding in Bindings(user, question.Namespace))
        {
            var role = binding["roleRef"];
            var rules = Rules(role.Text("kind") ?? "", role.Text("name") ?? "", binding.Text("metadata", "namespace") ?? "");
            if (rules.Any(r => Permits(r, question)))
            {
                why = $"RBAC: allowed by {binding.Text("kind")} \"{binding.Text("metadata", "name")}\" of {role.Text("kind")} \"{role.Text("name")}\"";
                return true;
            }
        }

        return false;
    }

    /// <summary>All rules that a user has in a namespace.</summary>
    public IEnumerable<JsonObject> RulesFor(UserInfo user, string ns) => user.IsMaster || mode == AuthorizationMode.AlwaysAllow
        ? [new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") }]
        : Bindings(user, ns).SelectMany(b => Rules(b.Text("roleRef", "kind") ?? "", b.Text("roleRef", "name") ?? "", b.Text("metadata", "namespace") ?? ""));

    /// <summary>What every authenticated user may do in any cluster: discovery, and questions about oneself.</summary>
    private static bool IsOpen(UserInfo user, AccessQuestion question) => question.Path is { } path
        ? question.Verb == "get" && (path is "/version" or "/healthz" or "/livez" or "/readyz"
            || (user.Groups.Contains("system:authenticated") && (path is "/" or "/api" or "/apis" || path.StartsWith("/api/", StringComparison.Ordinal)
                || path.StartsWith("/apis/", StringComparison.Ordinal) || path.StartsWith("/openapi", StringComparison.Ordinal))))
        : question is { Verb: "create", Resource: "selfsubjectaccessreviews" or "selfsubjectrulesreviews" or "selfsubjectreviews" };

    private IEnumerable<JsonObject> Bindings(UserInfo user, string ns)
    {
        var bindings = store.Snapshot("clusterrolebindings" + Suffix).Items;
        if (ns.Length > 0)
        {
            bindings = bindings.Concat(store.Snapshot("rolebindings" + Suffix, ns).Items);
        }

        return bindings.Select(b => b.ToTree()).Where(b => b["subjects"].Objects().Any(s => Names(s, user, b.Text("metadata", "namespace") ?? "")));
    }

    private IEnumerable<JsonObject> Rules(string kind, string name, string ns)
    {
        if (kind == "Role")
        {
            return store.Find("roles" + Suffix, ns, name)?.ToTree()["rules"].Objects() ?? [];
        }

        if (store.Find("clusterroles" + Suffix, "", name)?.ToTree() is not { } role)
        {
            return [];
        }

        // Aggregated roles are the union of those their selectors name.
        var selectors = role.At("aggregationRule", "clusterRoleSelectors").Objects().Select(LabelSelector.From).OfType<LabelSelector>().ToList();
        return role["rules"].Objects().Concat(selectors.Count == 0 ? [] : store.Snapshot("clusterroles" + Suffix).Items
            .Where(r => selectors.Any(s => s.Matches(r))).SelectMany(r => r.ToTree()["rules"].Objects()));
    }

    private static bool Names(JsonObject subject, UserInfo user, string bindingNamespace) => subject.Text("kind") switch
    {
        "User" => subject.Text("name") == user.Name,
        "Group" => user.Groups.Contains(subject.Text("name") ?? ""),
        "ServiceAccount" => user.Name == $"system:serviceaccount:{subject.Text("namespace") ?? bindingNamespace}:{subject.Text("name")}",
        _ => false,
    };

    private static bool Permits(JsonObject rule, AccessQuestion question)
    {
        if (!Has(rule["verbs"], question.Verb))
        {
            return false;
        }

        if (question.Path is { } path)
        {
            return rule["nonResourceURLs"].Texts().Any(u => u == "*" || u == path || (u.EndsWith('*') && path.StartsWith(u[..^1], StringComparison.Ordinal)));
        }

        var names = rule["resourceNames"].Texts().ToList();
        return Has(rule["apiGroups"], question.Group)
            && rule["resources"].Texts().Any(r => r == "*" || r == question.Resource
                || (r.StartsWith("*/", StringComparison.Ordinal) && question.Resource.EndsWith(r[1..], StringComparison.Ordinal)))
            && (names.Count == 0 || (question.Name.Length > 0 && names.Contains(question.Name)));
    }

    private static bool Has(JsonNode? list, string item) => list.Texts().Any(t => t == "*" || t == item);
}
