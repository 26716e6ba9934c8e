using System.Net;
using System.Text;
using System.Text.Json;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>What the plugin reads of a network configuration (standard input).</summary>
internal sealed record CniConfig
{
    public required string CniVersion { get; init; }

    public required string Name { get; init; }

    /// <summary><c>runtimeConfig.ips</c>: addresses that the pod must have.</summary>
    public IReadOnlyList<IPAddress> Ips { get; init; } = [];

    /// <summary><c>runtimeConfig.mac</c>, lower case with colons, or null.</summary>
    public string? Mac { get; init; }

    /// <summary><c>runtimeConfig.bandwidth</c>.</summary>
    public CniBandwidth Bandwidth { get; init; } = CniBandwidth.None;

    /// <summary>The result of the previous plugin (ADD) or of our ADD (CHECK, DEL), or null.</summary>
    public JsonElement? PreviousResult { get; init; }

    /// <summary><c>dns</c>, handed through to the result, or null.</summary>
    public JsonElement? Dns { get; init; }

    /// <summary><c>cni.dev/valid-attachments</c> of GC, or null.</summary>
    public IReadOnlySet<Leases.LeaseKey>? ValidAttachments { get; init; }

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="CniException">Code 6 or 7 with the field and the remedy; code 1 for an unknown version.</exception>
    public static CniConfig Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
            return Read(document.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: a text with half a surrogate pair, which the reader notices late.
            throw new CniException(CniErrorCode.Decoding, $"standard input is no JSON: {e.Message}", "give the network configuration on standard input", e);
        }
    }

    /// <summary>The version that a configuration asks for, for error messages before it is read; the newest when it is not to be found.</summary>
    public static string VersionOf(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
            var version = document.RootElement.ValueKind == JsonValueKind.Object ? Text(document.RootElement, "cniVersion") : null;
            return CniVersions.IsSupported(version) ? version! : CniVersions.Newest;
        }
        catch (Exception e) when (e is JsonException or CniException or InvalidOperationException)
        {
            // The caller reports what is wrong with it.
            return CniVersions.Newest;
        }
    }

    private static CniConfig Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("the network configuration", "must be a JSON object");
        }

        var version = Text(root, "cniVersion");
        if (!CniVersions.IsSupported(version))
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion,
                $"cniVersion '{version ?? "(missing)"}' is not supported",
                $"set cniVersion to one of {string.Join(", ", CniVersions.Supported)}");
        }

        var runtime = Object(root, "runtimeConfig");
        return new CniConfig
        {
            CniVersion = version!,
            Name = Text(root, "name") is { Length: > 0 } name ? name : throw Invalid("name", "is missing: give the network's name"),
            Ips = runtime is { } r ? ReadIps(r) : [],
            Mac = runtime is { } m && Text(m, "mac") is { Length: > 0 } mac ? PodMac.Normalize(mac) : null,
            Bandwidth = runtime is { } b ? CniBandwidth.Read(b) : CniBandwidth.None,
            PreviousResult = Object(root, "prevResult"),
            Dns = Object(root, "dns"),
            ValidAttachments = ReadAttachments(root),
        };
    }

    private static List<IPAddress> ReadIps(JsonElement runtime)
    {
        var found = new List<IPAddress>();
        foreach (var item in Items(runtime, "ips"))
        {
            var text = item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Invalid("runtimeConfig.ips", "must hold texts");

            // The capability's values are CIDRs; plain addresses are common as well.
            var address = InterfaceAddress.TryParse(text, out var cidr) ? cidr.Address : IPAddress.TryParse(text, out var plain) ? plain : null;
            found.Add(address ?? throw Invalid("runtimeConfig.ips", $"has '{text}', which is no IP address"));
        }

        return found.GroupBy(a => a.AddressFamily).All(g => g.Count() == 1)
            ? found
            : throw Invalid("runtimeConfig.ips", "has two addresses of one family: give at most one IPv4 and one IPv6 address");
    }

    private static HashSet<Leases.LeaseKey>? ReadAttachments(JsonElement root)
    {
        const string field = "cni.dev/valid-attachments";
        if (!root.TryGetProperty(field, out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var keys = new HashSet<Leases.LeaseKey>();
        foreach (var item in Items(root, field))
        {
            var container = item.ValueKind == JsonValueKind.Object ? Text(item, "containerID") : null;
            var ifName = item.ValueKind == JsonValueKind.Object ? Text(item, "ifname") : null;
            keys.Add(container is not null && ifName is not null
                ? new Leases.LeaseKey(container, ifName)
                : throw Invalid(field, "must hold objects with containerID and ifname"));
        }

        return keys;
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string field) =>
        !parent.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null ? default
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray()
        : throw Invalid(field, "must be an array");

    private static JsonElement? Object(JsonElement parent, string field) =>
        !parent.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : throw Invalid(field, "must be an object");

    private static string? Text(JsonElement parent, string field) =>
        !parent.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Invalid(field, "must be a text");

    private static CniException Invalid(string field, string problem) =>
        new(CniErrorCode.InvalidConfiguration, $"network configuration: {field} {problem}", "correct the CNI configuration file on the node");
}
