using System.Collections.Immutable;
using Weft.OpenFlow.Entries;

namespace Weft.OpenFlow.Text;

/// <summary>Meters in the syntax of ovs-ofctl(8) "Meter Syntax", both ways.</summary>
public static class MeterText
{
    /// <summary>The meter as ovs-ofctl prints it: "meter=1 kbps bands= type=drop rate=100".</summary>
    public static string Format(MeterEntry meter)
    {
        var text = new FlowTextWriter(null);
        Write(text, meter, oneLine: true);
        return text.ToString();
    }

    /// <summary>Reads "meter=1,pktps,burst,bands=type=drop,rate=100,burst_size=10".</summary>
    /// <exception cref="OpenFlowTextException">The text is not a meter.</exception>
    public static MeterEntry Parse(string text)
    {
        uint? id = null;
        var flags = MeterFlags.None;
        var at = text.IndexOf("band", StringComparison.Ordinal);
        foreach (var (key, value) in KeyValue.Cut(at < 0 ? text : text[..at]))
        {
            switch (key)
            {
                case "meter": id = value switch { "slowpath" => 0xfffffffd, "controller" => 0xfffffffe, _ => Id(value) }; break;
                case "kbps": flags |= MeterFlags.Kbps; break;
                case "pktps": flags |= MeterFlags.PacketsPerSecond; break;
                case "burst": flags |= MeterFlags.Burst; break;
                case "stats": flags |= MeterFlags.Stats; break;
                default: throw new OpenFlowTextException($"meter: unknown keyword {key}");
            }
        }

        if ((flags & (MeterFlags.Kbps | MeterFlags.PacketsPerSecond)) == 0)
        {
            throw new OpenFlowTextException("a meter counts either kbps or pktps");
        }

        var bands = at < 0 ? [] : Bands(text[at..], flags);
        return new MeterEntry(id ?? throw new OpenFlowTextException("a meter needs meter=..."), flags, bands);
    }

    /// <summary>The number of a meter, or the name of a virtual one.</summary>
    internal static string IdName(uint id) => id switch { <= 0xffff0000 => $"{id}", 0xfffffffd => "slowpath", 0xfffffffe => "controller", uint.MaxValue => "all", _ => "unknown" };

    internal static void Write(FlowTextWriter text, MeterEntry meter, bool oneLine)
    {
        text.Put($"meter={IdName(meter.Id)} ");
        text.Optional(meter.Flags.HasFlag(MeterFlags.Kbps), "kbps ");
        text.Optional(meter.Flags.HasFlag(MeterFlags.PacketsPerSecond), "pktps ");
        text.Optional(meter.Flags.HasFlag(MeterFlags.Burst), "burst ");
        text.Optional(meter.Flags.HasFlag(MeterFlags.Stats), "stats ");
        text.Optional(((ushort)meter.Flags & ~0xf) != 0, $"flags:0x{(ushort)meter.Flags & ~0xf:x} ");
        text.Put("bands=");
        foreach (var band in meter.Bands)
        {
            text.Put(oneLine ? " " : "\n");
            text.Put($"type={(band.PrecedenceLevel is null ? "drop" : "dscp_remark")} rate={band.Rate}");
            text.Optional(meter.Flags.HasFlag(MeterFlags.Burst), $" burst_size={band.BurstSize}");
            text.Optional(band.PrecedenceLevel is not null, $" prec_level={band.PrecedenceLevel}");
        }

        text.Optional(!oneLine, "\n");
    }

    private static uint Id(string value) => NumberText.U32(value, "meter") is var id and > 0 and <= 0xffff0000 ? id
        : throw new OpenFlowTextException($"meter={value}: meters are 1 to 4294901760, controller and slowpath");

    private static ImmutableArray<MeterBand> Bands(string text, MeterFlags flags)
    {
        var bands = ImmutableArray.CreateBuilder<MeterBand>();
        var rates = 0;
        foreach (var (key, value) in KeyValue.Cut(text))
        {
            // "bands=type=drop" cuts into key "bands", value "type=drop".
            var (k, v) = key is "band" or "bands" && value.Contains('=', StringComparison.Ordinal) ? (value[..value.IndexOf('=', StringComparison.Ordinal)], value[(value.IndexOf('=', StringComparison.Ordinal) + 1)..]) : (key, value);
            switch (k)
            {
                case "band" or "bands": break;
                case "type": bands.Add(new MeterBand(0, 0, v == "dscp_remark" ? (byte)0 : v == "drop" ? null : throw new OpenFlowTextException($"meter: unknown band type {v}"))); break;
                case "rate" when bands.Count > 0: 
                    bands[^1] = bands[^1] with { Rate = NumberText.U32(v, k) };
                    rates++;
                    break;
                case "burst_size" when !flags.HasFlag(MeterFlags.Burst): throw new OpenFlowTextException("burst_size: a meter whose bands have one says burst");
                case "burst_size" when bands.Count > 0: bands[^1] = bands[^1] with { BurstSize = NumberText.U32(v, k) }; break;
                case "prec_level" when bands.Count > 0: bands[^1] = bands[^1] with { PrecedenceLevel = NumberText.U8(v, k) }; break;
                default: throw new OpenFlowTextException($"meter: unknown keyword {k}, or no type= before it");
            }
        }

        return rates == bands.Count ? bands.ToImmutable() : throw new OpenFlowTextException("a meter's band needs rate=...");
    }
}
