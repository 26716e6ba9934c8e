using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Weft.Topology;

/// <summary>A number that stands for a whole slice: the sum of its items' digests, so that order plays no part and parts can be kept.</summary>
/// <remarks>A controller that has just become the leader compares it with the slice that it would send; when they agree, nothing needs to be
/// sent. Members of sets count one by one, because they come in any order. Digests of different versions may differ: then a snapshot is sent.</remarks>
public static class SliceDigest
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    /// <summary>The digest of items that are all different.</summary>
    public static UInt128 Of(IEnumerable<TopologyItem> items) => items.Aggregate(UInt128.Zero, (sum, item) => unchecked(sum + Of(item)));

    /// <summary>The digest of one item.</summary>
    public static UInt128 Of(TopologyItem item) => item switch
    {
        AddressSet set => unchecked(OfJson(set with { Addresses = [] }) + OfMembers(set.Id, set.Addresses)),
        PortSet set => unchecked(OfJson(set with { Ports = [] }) + OfMembers(set.Id, set.Ports)),
        EndpointSet set => unchecked(OfJson(set with { Endpoints = [] }) + OfEndpoints(set)),
        _ => OfJson(item),
    };

    /// <summary>As it travels: 32 hexadecimal digits.</summary>
    public static string ToText(UInt128 digest) => digest.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);

    private static UInt128 OfMembers(string id, EquatableArray<string> members)
    {
        var sum = UInt128.Zero;
        foreach (var member in members)
        {
            sum = unchecked(sum + Hash(Encoding.UTF8.GetBytes(id + "\n" + member)));
        }

        return sum;
    }

    private static UInt128 OfEndpoints(EndpointSet set)
    {
        var sum = UInt128.Zero;
        foreach (var endpoint in set.Endpoints)
        {
            sum = unchecked(sum + OfJson(new EndpointSet { Id = set.Id, Endpoints = [endpoint] }));
        }

        return sum;
    }

    private static UInt128 OfJson(TopologyItem item)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>();
        buffer.ResetWrittenCount();
        var json = _json ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.Reset(buffer);
        JsonSerializer.Serialize(json, item, TopologyJson.Default.TopologyItem);
        json.Flush();
        return Hash(buffer.WrittenSpan);
    }

    private static UInt128 Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
