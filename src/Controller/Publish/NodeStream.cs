using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Weft.Topology;

namespace Weft.Controller.Publish;

/// <summary>Writes one node's stream: resumes where the agent stopped, or starts with a snapshot, then a delta per change, and keep-alives.</summary>
/// <param name="publisher">The source.</param>
/// <param name="node">The node.</param>
/// <param name="aliveEvery">The longest silence.</param>
public sealed class NodeStream(Publisher publisher, string node, TimeSpan aliveEvery)
{
    private const int FlushBytes = 64 * 1024;

    /// <summary>Lines of items that all nodes have: thousands of agents that connect together get the same ones.</summary>
    private static readonly ConditionalWeakTable<TopologyItem, byte[]> SharedLines = [];

    private long _revision;

    /// <summary>Writes until the reader goes, the node ends, or it is cancelled.</summary>
    /// <param name="epoch">The history that the agent knows, or null.</param>
    /// <param name="revision">Its last revision in it.</param>
    /// <param name="digest">The digest of what it has, or null.</param>
    /// <param name="output">The response; not completed here.</param>
    /// <param name="ct">Ends the stream.</param>
    public async Task RunAsync(string? epoch, long revision, string? digest, PipeWriter output, CancellationToken ct)
    {
        using var subscription = publisher.Subscribe(node);
        await using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        _revision = revision;
        var next = epoch == publisher.Epoch ? publisher.Since(node, revision) : null;
        if (next is null && digest is not null && publisher.Adopt(node, digest) is { } adopted)
        {
            _revision = adopted;
            Write(json, output, new Resumed(publisher.Epoch, adopted));
        }
        else if (next is null)
        {
            if (!await WriteSnapshotAsync(json, output, ct).ConfigureAwait(false))
            {
                return;
            }
        }
        else
        {
            // Also when nothing changed: the first line tells the agent that it is connected.
            Write(json, output, IsEmpty(next) ? new Alive(_revision) : Advance(next));
        }

        while (!(await output.FlushAsync(ct).ConfigureAwait(false)).IsCompleted)
        {
            if (!await subscription.WaitAsync(aliveEvery, ct).ConfigureAwait(false))
            {
                Write(json, output, new Alive(_revision));
                continue;
            }

            var delta = publisher.Since(node, _revision);
            if (delta is null)
            {
                if (!await WriteSnapshotAsync(json, output, ct).ConfigureAwait(false))
                {
                    return;
                }
            }
            else if (!IsEmpty(delta))
            {
                Write(json, output, Advance(delta));
            }
        }
    }

    private static bool IsEmpty(Delta delta) => delta.Upserts.IsEmpty && delta.Patches.IsEmpty && delta.Deletes.IsEmpty;

    private static void Write(Utf8JsonWriter json, PipeWriter output, Frame frame)
    {
        json.Reset(output);
        JsonSerializer.Serialize(json, frame, TopologyJson.Default.Frame);
        json.Flush();
        output.Write("\n"u8);
    }

    private static byte[] EncodeLine(TopologyItem item) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(new SnapshotItem(item), TopologyJson.Default.Frame), (byte)'\n'];

    private Delta Advance(Delta delta)
    {
        _revision = delta.Revision;
        return delta;
    }

    /// <summary>Writes everything.</summary>
    /// <returns>False when Kubernetes does not know the node any more.</returns>
    private async Task<bool> WriteSnapshotAsync(Utf8JsonWriter json, PipeWriter output, CancellationToken ct)
    {
        var (revision, items) = publisher.Snapshot(node);
        if (items.Count == 0)
        {
            return false;
        }

        Write(json, output, new SnapshotBegin(publisher.Epoch, revision));
        foreach (var item in items)
        {
            if (item is NodeEndpoint or LoadBalancer or EndpointSet)
            {
                output.Write(SharedLines.GetValue(item, EncodeLine));
            }
            else
            {
                Write(json, output, new SnapshotItem(item));
            }

            if (output.UnflushedBytes > FlushBytes && (await output.FlushAsync(ct).ConfigureAwait(false)).IsCompleted)
            {
                return false;
            }
        }

        Write(json, output, new SnapshotEnd(publisher.Epoch, revision));
        _revision = revision;
        return true;
    }
}
