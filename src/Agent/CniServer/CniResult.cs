using System.Net.Sockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Weft.Agent.CniServer;

/// <summary>Writes what the plugin prints, in the format of the caller's version.</summary>
internal static class CniResult
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The result of ADD (CNI spec, "ADD Success").</summary>
    public static string Added(CniInvocation invocation, PodInterface pod) => Write(json =>
    {
        var version = invocation.Config.CniVersion;
        json.WriteString("cniVersion", version);
        json.WriteStartArray("interfaces");
        WriteInterface(json, pod.HostName, mac: null, version, pod.Mtu, sandbox: null);
        WriteInterface(json, pod.Name, pod.Mac, version, pod.Mtu, pod.Netns);
        json.WriteEndArray();
        json.WriteStartArray("ips");
        foreach (var address in pod.Aliases.IsEmpty ? pod.Addresses : pod.Aliases.Select(Alias))
        {
            WriteAddress(json, address, version);
        }

        json.WriteEndArray();
        json.WriteStartArray("routes");
        foreach (var address in pod.Addresses.Where(a => a.Gateway is not null))
        {
            json.WriteStartObject();
            json.WriteString("dst", address.Gateway!.AddressFamily == AddressFamily.InterNetworkV6 ? "::/0" : "0.0.0.0/0");
            json.WriteString("gw", address.Gateway.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WritePropertyName("dns");
        if (invocation.Config.Dns is { } dns)
        {
            dns.WriteTo(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
    });

    /// <summary>The answer to VERSION.</summary>
    public static string Versions(string version) => Write(json =>
    {
        json.WriteString("cniVersion", version);
        json.WriteStartArray("supportedVersions");
        foreach (var supported in CniVersions.Supported)
        {
            json.WriteStringValue(supported);
        }

        json.WriteEndArray();
    });

    /// <summary>An error.</summary>
    public static string Error(string version, int code, string message, string details) => Write(json =>
    {
        json.WriteString("cniVersion", version);
        json.WriteNumber("code", code);
        json.WriteString("msg", message);
        json.WriteString("details", details);
    });

    private static void WriteInterface(Utf8JsonWriter json, string name, string? mac, string version, int mtu, string? sandbox)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        if (mac is not null)
        {
            json.WriteString("mac", mac);
        }

        if (CniVersions.InterfacesHaveMtu(version))
        {
            json.WriteNumber("mtu", mtu);
        }

        if (sandbox is not null)
        {
            json.WriteString("sandbox", sandbox);
        }

        json.WriteEndObject();
    }

    private static void WriteAddress(Utf8JsonWriter json, PodAddress address, string version)
    {
        json.WriteStartObject();
        if (CniVersions.AddressesHaveVersion(version))
        {
            json.WriteString("version", address.Address.Address.AddressFamily == AddressFamily.InterNetworkV6 ? "6" : "4");
        }

        // The index of the pod's side in "interfaces".
        json.WriteNumber("interface", 1);
        json.WriteString("address", address.Address.ToString());
        if (address.Gateway is { } gateway)
        {
            json.WriteString("gateway", gateway.ToString());
        }

        json.WriteEndObject();
    }

    private static PodAddress Alias(string address)
    {
        var parsed = System.Net.IPAddress.Parse(address);
        return new PodAddress(new Host.Netlink.InterfaceAddress(parsed, parsed.AddressFamily == AddressFamily.InterNetwork ? 32 : 128), null);
    }

    private static string Write(Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
