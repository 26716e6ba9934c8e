using System.Text;
using System.Text.Json;

namespace Weft.Cni;

/// <summary>The few fields of the network configuration that the plugin itself looks at; the agent gets the whole text.</summary>
internal sealed record NetworkConfig
{
    /// <summary>Where an agent listens when the configuration does not say.</summary>
    public const string DefaultSocket = "/run/weft/cni.sock";

    // sizeof(sockaddr_un.sun_path) without the terminating zero.
    private const int LongestSocketPath = 107;

    /// <summary>One of <see cref="CniVersions.Supported"/>, except for VERSION, which may ask with any.</summary>
    public required string CniVersion { get; init; }

    public required string Socket { get; init; }

    /// <summary>The text as it came.</summary>
    public required string Text { get; init; }

    /// <summary>Reads what came on standard input.</summary>
    /// <exception cref="CniError">Code 6 when it is no JSON object in UTF-8, 7 when a field cannot be used, 1 for an unknown version.</exception>
    public static NetworkConfig Parse(byte[] input, string command)
    {
        using var document = Decode(input);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Undecodable($"it is a JSON {root.ValueKind}, not an object");
        }

        // A configuration without version is of 0.1.0 by the specification.
        var version = ReadText(root, "cniVersion") ?? "0.1.0";
        var config = new NetworkConfig
        {
            CniVersion = version,
            Socket = ReadText(root, "socket") ?? DefaultSocket,
            Text = Encoding.UTF8.GetString(input),
        };
        if (command != "VERSION")
        {
            CheckVersion(version, command);
            CheckFields(root, config);
        }

        return config;
    }

    private static JsonDocument Decode(byte[] input)
    {
        if (input.Length == 0)
        {
            throw Undecodable("it is empty");
        }

        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(input);
            return JsonDocument.Parse(input);
        }
        catch (JsonException e)
        {
            throw Undecodable($"line {e.LineNumber + 1}, byte {e.BytePositionInLine}: not JSON");
        }
        catch (DecoderFallbackException)
        {
            throw Undecodable("it is not UTF-8");
        }
    }

    private static void CheckVersion(string version, string command)
    {
        if (!CniVersions.Supported.Contains(version))
        {
            throw new CniError(
                CniErrorCode.IncompatibleVersion,
                $"cniVersion '{version}' is not supported",
                $"Set cniVersion in the network configuration to one of {string.Join(", ", CniVersions.Supported)}.");
        }

        var oldest = command switch { "CHECK" => "0.4.0", "GC" or "STATUS" => "1.1.0", _ => "0.3.1" };
        if (!CniVersions.IsAtLeast(version, oldest))
        {
            throw new CniError(
                CniErrorCode.IncompatibleVersion,
                $"{command} does not exist in cniVersion {version}",
                $"Set cniVersion in the network configuration to {oldest} or newer.");
        }
    }

    private static void CheckFields(JsonElement root, NetworkConfig config)
    {
        if (string.IsNullOrEmpty(ReadText(root, "name")))
        {
            throw Unusable("name is missing", "Give the network a name, for example \"name\": \"weft\".");
        }

        if (!config.Socket.StartsWith('/') || Encoding.UTF8.GetByteCount(config.Socket) > LongestSocketPath)
        {
            throw Unusable(
                $"socket is '{config.Socket}'",
                $"It must be the absolute path (at most {LongestSocketPath} bytes) of the agent's socket; the default is {DefaultSocket}.");
        }
    }

    private static string? ReadText(JsonElement root, string name)
    {
        // TryGetProperty would take the last of repeated names; so does every other reader of this text.
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw Unusable($"{name} is a JSON {value.ValueKind}", $"{name} must be a string.");
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw Undecodable($"{name} has an escaped half of a surrogate pair");
        }
    }

    private static CniError Undecodable(string why) => new(
        CniErrorCode.DecodingFailure,
        $"the network configuration cannot be read: {why}",
        "Correct the file in the runtime's CNI configuration folder (usually /etc/cni/net.d).");

    private static CniError Unusable(string message, string details) =>
        new(CniErrorCode.InvalidConfiguration, $"the network configuration cannot be used: {message}", details);
}
