using System.Text.Json;

namespace Weft.Agent.CniServer;

/// <summary><c>runtimeConfig.bandwidth</c> (CNI conventions, "bandwidth"): what runtimes make of the annotations <c>kubernetes.io/ingress-bandwidth</c> and <c>egress-bandwidth</c>.</summary>
/// <param name="Ingress">What comes to the pod; null: no limit.</param>
/// <param name="Egress">What the pod sends; null: no limit.</param>
internal sealed record CniBandwidth(BandwidthLimit? Ingress, BandwidthLimit? Egress)
{
    private const string Field = "runtimeConfig.bandwidth";

    /// <summary>Nothing is limited.</summary>
    public static readonly CniBandwidth None = new(null, null);

    /// <summary>Reads it from a <c>runtimeConfig</c>.</summary>
    /// <exception cref="CniException">Code 7 with the field and the remedy.</exception>
    public static CniBandwidth Read(JsonElement runtime) => !runtime.TryGetProperty("bandwidth", out var value) || value.ValueKind == JsonValueKind.Null
        ? None
        : value.ValueKind == JsonValueKind.Object ? new CniBandwidth(Limit(value, "ingress"), Limit(value, "egress"))
        : throw Invalid("", "must be an object", "correct what the runtime makes of the pod's annotations");

    private static BandwidthLimit? Limit(JsonElement bandwidth, string direction)
    {
        var rate = Number(bandwidth, direction + "Rate");
        var burst = Number(bandwidth, direction + "Burst");
        var remedy = $"correct the pod's annotation kubernetes.io/{direction}-bandwidth";
        return (rate, burst) switch
        {
            (0, 0) => null,
            (0, _) => throw Invalid(direction + "Burst", $"is {burst}, but {direction}Rate is missing", remedy),
            ( < BandwidthLimit.Least or > BandwidthLimit.Most, _) => throw Invalid(direction + "Rate", $"is {rate}: a limit is {BandwidthLimit.Least} to {BandwidthLimit.Most} bits per second", remedy + ", or leave it out for no limit"),
            _ => BandwidthLimit.Of(rate, burst),
        };
    }

    private static long Number(JsonElement bandwidth, string name) => !bandwidth.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? 0
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number
        : throw Invalid(name, "must be a whole number of bits, 0 or more", "correct what the runtime makes of the pod's annotations");

    private static CniException Invalid(string name, string problem, string remedy) =>
        new(CniErrorCode.InvalidConfiguration, $"network configuration: {Field}{(name.Length > 0 ? "." + name : "")} {problem}", remedy);
}
