using System.Buffers.Binary;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>An immutable list of actions, kept as the bytes that go over the wire. Equal lists have equal bytes.</summary>
public readonly struct ActionList : IEquatable<ActionList>
{
    [ThreadStatic]
    private static WireWriter? _writer;

    private readonly byte[]? _bytes;

    internal ActionList(byte[] bytes) => _bytes = bytes.Length == 0 ? null : bytes;

    /// <summary>No action.</summary>
    public static ActionList Empty => default;

    /// <summary>True when there is no action.</summary>
    public bool IsEmpty => _bytes is null;

    /// <summary>The wire form.</summary>
    public ReadOnlySpan<byte> Encoded => _bytes;

    /// <summary>The list of these actions.</summary>
    /// <exception cref="ArgumentException">An operand does not fit its field.</exception>
    public static ActionList Of(params ReadOnlySpan<FlowAction> actions)
    {
        // Nested lists (ct, clone) are made before their parent, so one writer per thread is enough.
        var writer = _writer ??= new WireWriter();
        writer.Clear();
        foreach (var action in actions)
        {
            action.Encode(writer);
        }

        return new ActionList(writer.ToArray());
    }

    /// <summary>Copies actions off the wire.</summary>
    /// <exception cref="OpenFlowFormatException">A length is wrong.</exception>
    internal static ActionList Read(ReadOnlySpan<byte> data)
    {
        Check(data);
        return new ActionList(data.ToArray());
    }

    /// <summary>Checks that lengths of actions fill <paramref name="data"/> exactly.</summary>
    internal static void Check(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            data = data[ActionLength(data)..];
        }
    }

    internal static int ActionLength(ReadOnlySpan<byte> data)
    {
        var length = data.Length < 4 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        return length >= 8 && length % 8 == 0 && length <= data.Length
            ? length
            : throw new OpenFlowFormatException($"an action of length {length} in {data.Length} bytes; lengths are multiples of 8", "OFPBAC_BAD_LEN");
    }

    /// <summary>Decodes the actions one by one; an action that the library does not know is an <see cref="UnknownAction"/>.</summary>
    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>The actions as an array.</summary>
    public FlowAction[] ToArray()
    {
        var list = new List<FlowAction>();
        foreach (var action in this)
        {
            list.Add(action);
        }

        return [.. list];
    }

    /// <inheritdoc/>
    public bool Equals(ActionList other) => Encoded.SequenceEqual(other.Encoded);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ActionList other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(_bytes);

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(ActionList a, ActionList b) => a.Equals(b);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(ActionList a, ActionList b) => !a.Equals(b);

    /// <summary>The actions in ovs-ofctl syntax, separated by commas; "drop" when empty.</summary>
    public override string ToString()
    {
        var text = new Text.FlowTextWriter(null);
        text.Actions(this, "drop");
        return text.ToString();
    }

    /// <summary>Decodes one action per step.</summary>
    public struct Enumerator
    {
        private readonly byte[]? _bytes;
        private int _next;
        private FlowAction? _current;

        internal Enumerator(byte[]? bytes) => _bytes = bytes;

        /// <summary>The action.</summary>
        public readonly FlowAction Current => _current!;

        /// <summary>Decodes the next action.</summary>
        public bool MoveNext()
        {
            if (_bytes is null || _next >= _bytes.Length)
            {
                return false;
            }

            var rest = _bytes.AsSpan(_next);
            var length = ActionLength(rest);
            _current = ActionCodec.Decode(rest[..length]);
            _next += length;
            return true;
        }
    }
}
