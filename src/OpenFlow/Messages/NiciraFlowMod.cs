using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A flow mod in the older form of Open vSwitch (NXT_FLOW_MOD of nicira-ext.h), which it takes on a 1.3 connection too.</summary>
/// <remarks>Unlike <see cref="FlowMod"/> it may set a cookie and ask for one at once, and names no group. Its table counts
/// when NXT_FLOW_MOD_TABLE_ID was sent before. Nobody needs to send it: it is here so that captures can be read.</remarks>
/// <param name="Mod">What it does; <see cref="FlowMod.OutGroup"/> is not sent.</param>
public sealed record NiciraFlowMod(FlowMod Mod) : OpenFlowMessage
{
    internal const uint Subtype = 13;
    private const ulong CookieHeader = 0x0001_3c08UL << 32;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <summary>True for the header of NXM_NX_COOKIE, which asks for a cookie in a match and is no field of packets; with or without a mask.</summary>
    internal static bool IsCookie(ulong header) => header == CookieHeader || header == OxmCodec.WithMask(CookieHeader);

    internal override void EncodeBody(WireWriter w)
    {
        var flow = Mod.Flow;
        w.U32(Vendors.Nicira);
        w.U32(Subtype);
        w.U64(flow.Cookie);
        w.U8(flow.Table);
        w.U8((byte)Mod.Command);
        w.U16(flow.IdleTimeout);
        w.U16(flow.HardTimeout);
        w.U16(flow.Priority);
        w.U32(Mod.BufferId);
        w.U16(Ports.ToOpenFlow10(Mod.OutPort));
        w.U16((ushort)flow.Flags);
        var lengthAt = w.Length;
        w.Zeros(8);
        var start = w.Length;
        if (Mod.CookieMask != 0)
        {
            OxmCodec.WriteHeader(w, OxmCodec.WithMask(CookieHeader));
            w.U64(Mod.CookieFilter);
            w.U64(Mod.CookieMask);
        }

        w.Bytes(flow.Match.Encoded);
        w.PatchU16(lengthAt, w.Length - start);
        w.Pad8(start);
        w.Bytes(flow.Instructions.Encoded);
    }

    internal static NiciraFlowMod Decode(ref WireReader r)
    {
        var (cookie, table, command) = (r.U64(), r.U8(), r.U8());
        var (idle, hard, priority, buffer, port, flags) = (r.U16(), r.U16(), r.U16(), r.U32(), r.U16(), r.U16());
        int length = r.U16();
        r.Skip(6);
        var start = r.Position;
        var match = ReadMatch(r.Take(length), out var filter, out var mask);
        r.SkipPadding(start);
        var instructions = FlowInstructions.Read(r.Rest);
        if (command > (byte)FlowCommand.DeleteStrict)
        {
            throw new OpenFlowFormatException($"flow mod: unknown command {command}", "OFPFMFC_BAD_COMMAND");
        }

        var flow = new Flow(table, priority, match, instructions) { Cookie = cookie, IdleTimeout = idle, HardTimeout = hard, Flags = (FlowFlags)flags };
        return new NiciraFlowMod(new FlowMod((FlowCommand)command, flow) { CookieMask = mask, CookieFilter = filter, BufferId = buffer, OutPort = Ports.FromOpenFlow10(port) });
    }

    private static Match ReadMatch(ReadOnlySpan<byte> entries, out ulong filter, out ulong mask)
    {
        (filter, mask) = (0, 0);
        var others = new WireWriter();
        while (!entries.IsEmpty)
        {
            var entry = OxmHeader.Read(entries);
            if (IsCookie(entry.Header))
            {
                var payload = new WireReader(entry.Payload);
                (filter, mask) = (payload.U64(), entry.HasMask ? payload.U64() : ulong.MaxValue);
            }
            else
            {
                others.Bytes(entries[..entry.TotalLength]);
            }

            entries = entries[entry.TotalLength..];
        }

        return OxmCodec.ReadEntries(others.Written);
    }
}
