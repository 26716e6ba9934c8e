namespace Weft.Agent.Host.Netlink;

/// <summary>Requests that go to the kernel in one call (very many: in a few) and are carried out in order, each on its own: a failed one does not stop the next.</summary>
public sealed class NetlinkBatch
{
    private readonly List<Entry> _entries = [];
    private readonly List<int> _ends = [];

    internal NetlinkWriter Writer { get; } = new();

    /// <summary>The number of requests.</summary>
    public int Count => _entries.Count;

    internal IReadOnlyList<Entry> Entries => _entries;

    internal void Begin(ushort type, NetlinkFlags flags, string operation, params ReadOnlySpan<int> tolerated)
    {
        _entries.Add(new Entry(operation, tolerated.ToArray()));

        // Sequence numbers count within the batch; the socket checks the answers by them.
        Writer.Begin(type, flags | NetlinkFlags.Request | NetlinkFlags.Ack, (uint)_entries.Count);
    }

    internal void End()
    {
        Writer.End();
        _ends.Add(Writer.Written.Length);
    }

    /// <summary>The bytes of requests <paramref name="first"/> to before <paramref name="last"/>.</summary>
    internal ReadOnlySpan<byte> Slice(int first, int last) => Writer.Written[(first == 0 ? 0 : _ends[first - 1]).._ends[last - 1]];

    /// <param name="Operation">For the message of a failure.</param>
    /// <param name="Tolerated">Errors that mean that there was nothing to do.</param>
    internal readonly record struct Entry(string Operation, int[] Tolerated);
}
