using System.Collections.Immutable;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A refusal by the switch (OpenFlow 1.3.5 section 7.5.4, and the errors of Nicira and ONF).</summary>
/// <param name="ErrorType">The type; 0xffff for an experimenter's.</param>
/// <param name="Code">The code inside the type; for an experimenter's, its own number.</param>
/// <param name="Experimenter">Whose error it is; 0 for a standard one.</param>
/// <param name="Data">The first bytes of the message that was refused.</param>
public sealed record ErrorMessage(ushort ErrorType, ushort Code, uint Experimenter, ImmutableArray<byte> Data) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.Error;

    /// <summary>The name that OVS prints, e.g. "OFPBMC_BAD_PREREQ"; the numbers when it is unknown.</summary>
    public string Name => ErrorNames.Find(ErrorType, Code, Experimenter) ?? (Experimenter == 0
        ? $"error type {ErrorType}, code {Code}"
        : $"experimenter 0x{Experimenter:x} error type {ErrorType}, code {Code}");

    /// <inheritdoc/>
    public bool Equals(ErrorMessage? other) => other is not null && ErrorType == other.ErrorType && Code == other.Code && Experimenter == other.Experimenter
        && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ErrorType, Code, Experimenter);

    internal override void EncodeBody(WireWriter w)
    {
        w.U16(ErrorType);
        w.U16(Code);
        if (ErrorType == 0xffff)
        {
            w.U32(Experimenter);
        }

        w.Bytes(Data.AsSpan());
    }

    internal static ErrorMessage Decode(ref WireReader r)
    {
        var (type, code) = (r.U16(), r.U16());
        var experimenter = type == 0xffff ? r.U32() : 0;
        return new ErrorMessage(type, code, experimenter, [.. r.Rest]);
    }
}
