using System.Buffers.Binary;
using Weft.OpenFlow;
using Weft.OpenFlow.Switch;

namespace Weft.Ctl.OpenFlow;

/// <summary>One direction of a captured connection: puts segments in order and prints the messages in them.</summary>
/// <remarks>A segment that came too early waits for the missing ones, until <see cref="MaxWaiting"/> bytes wait or the capture ends; then the gap is told and left behind.</remarks>
internal sealed class CapturedStream(LineWriter writer)
{
    private const int MaxWaiting = 4 * 1024 * 1024;
    private readonly Dictionary<uint, byte[]> _early = [];
    private readonly List<byte> _bytes = [];
    private uint? _next;
    private int _waiting;
    private bool _lost;

    /// <summary>Takes a segment; prints what it completes.</summary>
    public void Add(uint sequence, byte[] payload)
    {
        _next ??= sequence;
        if (Ahead(sequence) > 0)
        {
            // Of two from the same place the longer one has it all.
            var known = _early.GetValueOrDefault(sequence)?.Length ?? 0;
            if (payload.Length > known)
            {
                _early[sequence] = payload;
                _waiting += payload.Length - known;
            }

            if (_waiting > MaxWaiting)
            {
                LeaveGap();
            }

            return;
        }

        Append(sequence, payload);
        AppendEarly();
    }

    /// <summary>The capture is over: prints what waits, and tells of what is missing.</summary>
    public void End()
    {
        while (_early.Count > 0)
        {
            LeaveGap();
        }

        if (_bytes.Count > 0)
        {
            writer.Error($"the capture ends within a message: {_bytes.Count} bytes of it are there");
            _bytes.Clear();
        }
    }

    private int Ahead(uint sequence) => (int)(sequence - _next!.Value);

    private void LeaveGap()
    {
        var first = _early.Keys.MinBy(Ahead);
        writer.Error($"{Ahead(first)} bytes of the connection are not in the capture (tcpdump -B makes its buffer larger)");
        _bytes.Clear();
        _lost = true;
        _next = first;
        AppendEarly();
    }

    private void AppendEarly()
    {
        while (_early.Count > 0 && _early.Keys.MinBy(Ahead) is var first && Ahead(first) <= 0)
        {
            _early.Remove(first, out var payload);
            _waiting -= payload!.Length;
            Append(first, payload);
        }
    }

    private void Append(uint sequence, byte[] payload)
    {
        var seen = -Ahead(sequence);
        if (seen >= payload.Length)
        {
            // Sent again.
            return;
        }

        var news = payload.AsSpan(seen);
        _next += (uint)news.Length;
        if (_bytes.Count == 0 && (_lost || !BeginsMessage(news)))
        {
            _lost = !BeginsMessage(news);
            if (_lost)
            {
                // Behind a gap, or before the first whole message of the capture: the rest of one whose beginning is not there.
                return;
            }
        }

        _bytes.AddRange(news);
        Cut();
    }

    private static bool BeginsMessage(ReadOnlySpan<byte> data) =>
        data.Length < 4 || (data[0] is >= 1 and <= 6 && BinaryPrimitives.ReadUInt16BigEndian(data[2..]) >= 8 && data[1] <= 36);

    private void Cut()
    {
        var data = _bytes.ToArray();
        var used = 0;
        try
        {
            for (int length; (length = FrameCutter.TryCut(data.AsSpan(used))) > 0; used += length)
            {
                DecodeCommand.Print(data.AsSpan(used, length), writer);
            }

            _bytes.RemoveRange(0, used);
        }
        catch (OpenFlowException e)
        {
            writer.Error(e.Message);
            _bytes.Clear();
            _lost = true;
        }
    }
}
