using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Agent.CniServer.Leases;

/// <summary>One line of the journal.</summary>
internal sealed record LeaseRecord
{
    /// <summary>A lease that was given.</summary>
    public Lease? Give { get; init; }

    /// <summary>A lease that ended at <see cref="At"/>; its addresses rest for a while.</summary>
    public Lease? Release { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public long At { get; init; }

    /// <summary><c>the first 8 hex digits of the JSON's SHA-256, space, JSON, line feed</c>.</summary>
    public byte[] Encode()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, LeaseJson.Default.LeaseRecord);
        return [.. Encoding.ASCII.GetBytes(Checksum(json)), (byte)' ', .. json, (byte)'\n'];
    }

    /// <summary>Reads a line without its line feed; null when it is damaged.</summary>
    public static LeaseRecord? Decode(ReadOnlySpan<byte> line)
    {
        if (line.Length < 10 || line[8] != ' ' || !line[..8].SequenceEqual(Encoding.ASCII.GetBytes(Checksum(line[9..]))))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(line[9..], LeaseJson.Default.LeaseRecord);
        }
        catch (JsonException)
        {
            // The checksum is right, so a later version wrote it: as good as damaged to this one.
            return null;
        }
    }

    private static string Checksum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 4));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(LeaseRecord))]
internal sealed partial class LeaseJson : JsonSerializerContext
{
}
