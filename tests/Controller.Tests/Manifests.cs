namespace Weft.Controller.Tests;

/// <summary>Small Kubernetes objects as JSON.</summary>
internal static class Manifests
{
    public static string Node(string name, string address, params string[] podCidrs) =>
        $$"""{"metadata":{"name":"{{name}}"},"spec":{"podCIDRs":[{{Quoted(podCidrs)}}]},"status":{"addresses":[{"type":"InternalIP","address":"{{address}}"}],"conditions":[]} }""";

    public static string Namespace(string name) => $$"""{"metadata":{"name":"{{name}}","labels":{"kubernetes.io/metadata.name":"{{name}}"} } }""";

    public static string Pod(string ns, string name, string node, string? ip) =>
        $$"""{"metadata":{"namespace":"{{ns}}","name":"{{name}}","uid":"{{ns}}-{{name}}","labels":{"app":"{{name}}"} },"spec":{"nodeName":"{{node}}"},"status":{"phase":"Running"{{(ip is null ? "" : $",\"podIPs\":[{{\"ip\":\"{ip}\"}}]")}}} }""";

    private static string Quoted(string[] values) => string.Join(",", values.Select(v => $"\"{v}\""));
}
