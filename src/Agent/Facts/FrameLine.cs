using System.Buffers;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>Reads a line of the node stream, from a controller or from the disk.</summary>
public static class FrameLine
{
    /// <summary>The frame.</summary>
    /// <exception cref="JsonException">It is no frame; the message says where.</exception>
    public static Frame Parse(ReadOnlySequence<byte> line)
    {
        var json = new Utf8JsonReader(line);
        return Checked(JsonSerializer.Deserialize(ref json, TopologyJson.Default.Frame));
    }

    /// <inheritdoc cref="Parse(ReadOnlySequence{byte})"/>
    public static Frame Parse(ReadOnlySpan<byte> line) => Checked(JsonSerializer.Deserialize(line, TopologyJson.Default.Frame));

    /// <summary>Whether an exception of <see cref="Parse(ReadOnlySpan{byte})"/> or <see cref="SliceBuilder.Take"/> says that the line makes no sense: ask for a snapshot.</summary>
    public static bool IsNonsense(Exception exception) => exception is JsonException or StreamProtocolException or InvalidDataException;

    private static Frame Checked(Frame? frame) => frame switch
    {
        null => throw new JsonException("a frame is null"),
        SnapshotItem { Item: null } => throw new JsonException("an item frame without its item"),
        _ => frame,
    };
}
