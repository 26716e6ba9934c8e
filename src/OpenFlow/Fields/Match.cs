using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Fields;

/// <summary>An immutable set of conditions on packets, in one canonical form.</summary>
/// <remarks>
/// Kept as the OXM bytes that Open vSwitch itself would send, so equality is a comparison of bytes and encoding a copy.
/// Canonical means: fields in the order of <see cref="Fields.All"/>; bits outside a mask are zero; no empty masks; a mask of ones
/// is no mask; xreg, xxreg, vlan_tci, nw_tos and the 16-bit in_port are rewritten to the fields that a dump shows.
/// </remarks>
public readonly struct Match : IEquatable<Match>
{
    private readonly byte[]? _oxm;

    internal Match(byte[] canonical) => _oxm = canonical.Length == 0 ? null : canonical;

    /// <summary>The match that accepts every packet.</summary>
    public static Match Any => default;

    /// <summary>True when every packet is accepted.</summary>
    public bool IsAny => _oxm is null;

    /// <summary>The canonical OXM bytes, without the ofp_match header and padding.</summary>
    public ReadOnlySpan<byte> Encoded => _oxm;

    /// <summary>The match of all these conditions.</summary>
    /// <remarks>
    /// A prerequisite that only one value can satisfy is added (ip_dst adds eth_type=0x0800, nd_target adds icmpv6);
    /// where several can (tcp_dst: IPv4 or IPv6) the caller must give it. Conditions on different bits of one field are joined.
    /// </remarks>
    /// <exception cref="ArgumentException">Two conditions contradict each other, or a prerequisite is missing; the message names the field and what to add.</exception>
    public static Match Of(params ReadOnlySpan<FieldMatch> conditions)
    {
        var builder = new MatchBuilder();
        foreach (var condition in conditions)
        {
            builder.Add(condition);
        }

        return builder.Build(addPrerequisites: true);
    }

    /// <summary>This match with more conditions.</summary>
    /// <inheritdoc cref="Of" path="/exception"/>
    public Match And(params ReadOnlySpan<FieldMatch> conditions)
    {
        var builder = new MatchBuilder();
        foreach (var condition in this)
        {
            builder.Add(condition);
        }

        foreach (var condition in conditions)
        {
            builder.Add(condition);
        }

        return builder.Build(addPrerequisites: true);
    }

    /// <summary>The conditions in canonical order. Conditions on fields that the library does not know are left out; see <see cref="HasUnknown"/>.</summary>
    public Enumerator GetEnumerator() => new(_oxm);

    /// <summary>Finds the condition on a field.</summary>
    public bool TryGet(Field field, out FieldMatch condition)
    {
        foreach (var c in this)
        {
            if (c.Field == field)
            {
                condition = c;
                return true;
            }
        }

        condition = default;
        return false;
    }

    /// <summary>The conditions as an array.</summary>
    public FieldMatch[] ToArray()
    {
        var list = new List<FieldMatch>();
        foreach (var c in this)
        {
            list.Add(c);
        }

        return [.. list];
    }

    /// <summary>True when some OXM is of a class or field that the library does not know; its bytes are kept and compared.</summary>
    public bool HasUnknown
    {
        get
        {
            ReadOnlySpan<byte> rest = _oxm;
            while (rest.Length > 0)
            {
                var oxm = OxmHeader.Read(rest);
                if (oxm.Field is null)
                {
                    return true;
                }

                rest = rest[oxm.TotalLength..];
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public bool Equals(Match other) => Encoded.SequenceEqual(other.Encoded);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Match other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(_oxm);

    /// <summary>Equal canonical bytes.</summary>
    public static bool operator ==(Match a, Match b) => a.Equals(b);

    /// <summary>Different canonical bytes.</summary>
    public static bool operator !=(Match a, Match b) => !a.Equals(b);

    /// <summary>The match in ovs-ofctl syntax, e.g. "tcp,reg0=0x1,nw_dst=10.0.0.0/8,tp_dst=80"; empty for <see cref="Any"/>.</summary>
    public override string ToString() => Text.MatchText.Format(this);

    /// <summary>Walks the conditions without allocation.</summary>
    public struct Enumerator
    {
        private readonly byte[]? _oxm;
        private int _next;

        internal Enumerator(byte[]? oxm) => _oxm = oxm;

        /// <summary>The condition.</summary>
        public FieldMatch Current { get; private set; }

        /// <summary>Goes to the next condition on a known field.</summary>
        public bool MoveNext()
        {
            while (_oxm is not null && _next < _oxm.Length)
            {
                var oxm = OxmHeader.Read(_oxm.AsSpan(_next));
                _next += oxm.TotalLength;
                if (oxm.Field is not null)
                {
                    Current = oxm.ToCondition();
                    return true;
                }
            }

            return false;
        }
    }

    internal static byte[] BytesOf(Match match) => match._oxm ?? [];

}
