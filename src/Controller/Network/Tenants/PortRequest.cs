using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>What a pod asks for by annotations; the same in a pod and in a template.</summary>
/// <param name="Subnet"><c>weft.dev/subnet</c>: another Subnet of the namespace's Vpc.</param>
/// <param name="Ips"><c>weft.dev/ip</c>: <c>10.0.0.5</c> or <c>10.0.0.5,fd00::5</c>; in a template a list of these, separated by <c>;</c>, by ordinal.</param>
/// <param name="Mac"><c>weft.dev/mac</c>.</param>
/// <param name="Pool"><c>weft.dev/pool</c>: an AddressPool.</param>
internal sealed record PortRequest(string? Subnet, string? Ips, string? Mac, string? Pool)
{
    public const string SubnetAnnotation = "weft.dev/subnet";
    public const string IpAnnotation = "weft.dev/ip";
    public const string MacAnnotation = "weft.dev/mac";
    public const string PoolAnnotation = "weft.dev/pool";

    /// <summary>A pod that asks for nothing.</summary>
    public static readonly PortRequest None = new(null, null, null, null);

    /// <summary>The wishes of a pod.</summary>
    public static PortRequest Read(V1ObjectMeta metadata)
    {
        if (metadata.Annotations is not { Count: > 0 } all)
        {
            return None;
        }

        string? Text(string name) => all.GetValueOrDefault(name) is { Length: > 0 } text ? text.Trim() : null;
        var (subnet, ips, mac, pool) = (Text(SubnetAnnotation), Text(IpAnnotation), Text(MacAnnotation), Text(PoolAnnotation));
        return subnet is null && ips is null && mac is null && pool is null ? None : new PortRequest(subnet, ips, mac, pool);
    }
}
