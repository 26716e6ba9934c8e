using System.Net;

namespace Weft.Agent.Names;

/// <summary>Names a TCP connection of a pod to a name server.</summary>
internal readonly record struct AnswerStreamKey(string Port, IPAddress Server, ushort ServerPort, ushort PodPort);

/// <summary>Puts TCP segments of name servers together to messages (RFC 1035 section 4.2.2: each behind its length). Not thread-safe.</summary>
/// <remarks>
/// At most <see cref="MostStreams"/> connections are followed, the longest unused is given up for a new one; of each at most <see cref="MostBytes"/>
/// wait for a gap to be filled or for the end of a message. What is not followed passes all the same, and nothing is learned of it.
/// </remarks>
internal sealed class AnswerStreams
{
    /// <summary>Connections followed at the same time.</summary>
    public const int MostStreams = 256;

    /// <summary>Bytes kept of one connection: the longest message, and a window of segments behind a lost one.</summary>
    public const int MostBytes = 128 * 1024;

    /// <summary>What a waiting segment costs beside its bytes: many small ones are bounded too.</summary>
    private const int PerSegment = 64;

    private readonly Dictionary<AnswerStreamKey, Stream> _streams = [];
    private long _uses;

    /// <summary>Connections that are followed now.</summary>
    public int Count => _streams.Count;

    /// <summary>Takes a segment.</summary>
    /// <returns>The messages that it completes.</returns>
    public IReadOnlyList<ReadOnlyMemory<byte>> Take(AnswerStreamKey key, TcpPlace place, ReadOnlyMemory<byte> payload)
    {
        if (place.Begins || !_streams.TryGetValue(key, out var stream))
        {
            if (!place.Begins && payload.IsEmpty)
            {
                return [];
            }

            // An agent that began in the middle of a connection takes the first segment that it sees for the beginning of a message.
            _streams[key] = stream = new Stream(place.Begins ? place.Sequence + 1 : place.Sequence);
            GiveUpOldest();
        }

        stream.LastUse = ++_uses;
        var messages = place.Begins ? [] : stream.Take(place.Sequence, payload);
        if (place.Ends || messages is null)
        {
            _streams.Remove(key);
        }

        return messages ?? [];
    }

    private void GiveUpOldest()
    {
        if (_streams.Count > MostStreams)
        {
            _streams.Remove(_streams.MinBy(s => s.Value.LastUse).Key);
        }
    }

    private sealed class Stream(uint next)
    {
        private readonly List<byte> _read = [];
        private readonly List<(uint Sequence, byte[] Data)> _ahead = [];
        private uint _next = next;
        private int _waiting;

        // So that a stream is never the oldest before its first use.
        public long LastUse { get; set; } = long.MaxValue;

        /// <returns>Null when it is given up: more waits than may.</returns>
        public List<ReadOnlyMemory<byte>>? Take(uint sequence, ReadOnlyMemory<byte> payload)
        {
            if (!TryAppend(sequence, payload.Span))
            {
                _waiting += payload.Length + PerSegment;
                _ahead.Add((sequence, payload.ToArray()));
                return _waiting > MostBytes ? null : [];
            }

            while (_ahead.FindIndex(a => TryAppend(a.Sequence, a.Data)) is >= 0 and var filled)
            {
                _waiting -= _ahead[filled].Data.Length + PerSegment;
                _ahead.RemoveAt(filled);
            }

            return _read.Count > MostBytes ? null : Messages();
        }

        /// <summary>Takes what is new of a segment; false when something before it is missing.</summary>
        private bool TryAppend(uint sequence, ReadOnlySpan<byte> payload)
        {
            var known = unchecked((int)(_next - sequence));
            if (known < 0)
            {
                return false;
            }

            if (known < payload.Length)
            {
                _read.AddRange(payload[known..]);
                _next += (uint)(payload.Length - known);
            }

            return true;
        }

        private List<ReadOnlyMemory<byte>> Messages()
        {
            var messages = new List<ReadOnlyMemory<byte>>();
            var at = 0;
            while (_read.Count - at >= 2 && ((_read[at] << 8) | _read[at + 1]) is var length && _read.Count - at - 2 >= length)
            {
                if (length > 0)
                {
                    messages.Add(_read.GetRange(at + 2, length).ToArray());
                }

                at += 2 + length;
            }

            _read.RemoveRange(0, at);
            return messages;
        }
    }
}
