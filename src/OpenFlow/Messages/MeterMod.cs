using System.Collections.Immutable;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What a meter mod does.</summary>
public enum MeterCommand : ushort
{
    /// <summary>Adds; an error when the meter exists.</summary>
    Add,

    /// <summary>Replaces; an error when the meter does not exist.</summary>
    Modify,

    /// <summary>Deletes.</summary>
    Delete,
}

/// <summary>Adds, modifies or deletes a meter (OpenFlow 1.3.5 section 7.3.4.5).</summary>
public sealed record MeterMod(MeterCommand Command, MeterEntry Meter) : OpenFlowMessage
{
    /// <summary>Every meter, in a deletion.</summary>
    public const uint AllMeters = 0xffffffff;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.MeterMod;

    /// <summary>Deletes a meter.</summary>
    public static MeterMod Delete(uint id) => new(MeterCommand.Delete, new MeterEntry(id, MeterFlags.None, []));

    internal override void EncodeBody(WireWriter w)
    {
        w.U16((ushort)Command);
        w.U16((ushort)Meter.Flags);
        w.U32(Meter.Id);
        WriteBands(w, Meter.Bands);
    }

    internal static MeterMod Decode(ref WireReader r)
    {
        var (command, flags, id) = (r.U16(), r.U16(), r.U32());
        if (command == (ushort)MeterCommand.Delete)
        {
            return Delete(id);
        }

        if ((flags & 3) == 3)
        {
            throw new OpenFlowFormatException($"meter mod: flags 0x{flags:x}: one unit only", "OFPMMFC_BAD_FLAGS");
        }

        return command <= 2
            ? new MeterMod((MeterCommand)command, new MeterEntry(id, (MeterFlags)flags, ReadBands(r.Rest, (MeterFlags)flags)))
            : throw new OpenFlowFormatException($"meter mod: unknown command {command}", "OFPMMFC_BAD_COMMAND");
    }

    internal static void WriteBands(WireWriter w, ImmutableArray<MeterBand> bands)
    {
        foreach (var band in bands)
        {
            w.U16(band.PrecedenceLevel is null ? (ushort)1 : (ushort)2);
            w.U16(16);
            w.U32(band.Rate);
            w.U32(band.BurstSize);
            w.U8(band.PrecedenceLevel ?? 0);
            w.Zeros(3);
        }
    }

    /// <summary>Open vSwitch fills in a burst size where none was asked for; without the flag it says nothing.</summary>
    internal static ImmutableArray<MeterBand> ReadBands(ReadOnlySpan<byte> data, MeterFlags flags)
    {
        var r = new WireReader(data);
        var bands = ImmutableArray.CreateBuilder<MeterBand>();
        while (r.Remaining > 0)
        {
            var (type, length) = (r.U16(), r.U16());
            if (length != 16 || type is not (1 or 2))
            {
                throw new OpenFlowFormatException($"a meter band of type {type} and length {length}", length != 16 ? "OFPBRC_BAD_LEN" : "OFPMMFC_BAD_BAND");
            }

            var (rate, burst, level) = (r.U32(), r.U32(), r.U8());
            r.Skip(3);
            bands.Add(new MeterBand(rate, flags.HasFlag(MeterFlags.Burst) ? burst : 0, type == 2 ? level : null));
        }

        return bands.ToImmutable();
    }
}
