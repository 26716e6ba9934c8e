using System.Collections.Immutable;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>From the bytes of one action to its record. The numbers are those of ofp_raw_action_type in OVS's ofp-actions.c.</summary>
internal static class ActionCodec
{
    /// <summary>Decodes one action; what is unknown or damaged inside stays an <see cref="UnknownAction"/>.</summary>
    public static FlowAction Decode(ReadOnlySpan<byte> data)
    {
        try
        {
            return DecodeStrict(data);
        }
        catch (Exception e) when (e is OpenFlowFormatException or ArgumentException)
        {
            return new UnknownAction([.. data]);
        }
    }

    /// <summary>Decodes one action.</summary>
    /// <exception cref="OpenFlowFormatException">It is damaged. Unknown types are no error.</exception>
    public static FlowAction DecodeStrict(ReadOnlySpan<byte> data)
    {
        var r = new WireReader(data);
        var type = r.U16();
        r.Skip(2);
        return (type switch
        {
            0 => new Output(r.U32(), r.U16()),
            (>= 1 and <= 10) or 13 or 14 => SetOlderField.Decode(ref r, type),
            15 or 23 => new ChangeHeader((HeaderOperation)type, r.U8()),
            16 or 18 or 24 => new ChangeHeader((HeaderOperation)type),
            17 or 19 or 20 => new ChangeHeader((HeaderOperation)type, r.U16()),
            21 => new SetQueue(r.U32()),
            22 => new ToGroup(r.U32()),
            25 => DecodeSetField(ref r, false),
            0xffff => DecodeExperimenter(ref r),
            _ => null,
        }) ?? new UnknownAction([.. data]);
    }

    private static FlowAction? DecodeExperimenter(ref WireReader r)
    {
        var vendor = r.U32();
        var subtype = r.U16();
        if (vendor == Vendors.Onf && subtype == 3200)
        {
            return DecodeMove(ref r, true);
        }

        return vendor != Vendors.Nicira ? null : subtype switch
        {
            1 => DecodeResubmit(ref r, true, false),
            2 or 9 => DecodeTunnel(ref r, subtype == 9),
            5 => new PopQueue(),
            6 => DecodeMove(ref r, false),
            7 => DecodeLoad(ref r),
            8 => new Note(r.Rest),
            10 => DecodeMultipath(ref r),
            12 or 13 => DecodeBundle(ref r, subtype == 13),
            14 or 44 => DecodeResubmit(ref r, false, subtype == 44),
            15 => DecodeOutputReg(ref r),
            16 or 45 => Learn.Decode(ref r, subtype == 45),
            17 or 43 or 48 or 254 or 255 => new SimpleAction((SimpleOperation)subtype),
            19 => new FinTimeout(r.U16(), r.U16()),
            20 => new ToController { MaxLength = r.U16(), ControllerId = r.U16(), Reason = r.U8() },
            21 => DecodeTtlIds(ref r),
            22 => DecodeMetadata(ref r),
            27 or 28 => DecodeStack(ref r, subtype == 27),
            29 or 38 or 41 => DecodeSample(ref r, subtype),
            32 => DecodeOutputReg2(ref r),
            33 => DecodeSetField(ref r, true),
            34 => DecodeConjunction(ref r),
            35 => Conntrack.Decode(ref r),
            36 => Nat.Decode(ref r),
            37 => DecodeController2(ref r),
            39 => DecodeTruncated(ref r),
            42 => DecodeClone(ref r),
            46 => DecodeEncap(ref r),
            47 => DecodeDecap(ref r),
            49 => DecodeCheckLarger(ref r),
            50 => new DeleteField(OxmCodec.ReadHeader(ref r)),
            _ => null,
        };
    }

    private static SetField DecodeSetField(ref WireReader r, bool load2)
    {
        var oxm = OxmHeader.Read(r.Rest);
        var field = oxm.Field ?? throw new OpenFlowFormatException($"set_field of an unknown field 0x{oxm.Header >> 32:x8}", "OFPBAC_BAD_SET_TYPE");
        if (oxm.HasMask && !load2)
        {
            throw new OpenFlowFormatException("a masked set_field does not exist in OpenFlow 1.3", "OFPBAC_BAD_SET_MASK");
        }

        var condition = oxm.ToCondition();
        if (condition.Option is { } option)
        {
            return new SetField(field, option) { IsLoad2 = load2 };
        }

        return new SetField(field, condition.Value, oxm.HasMask ? condition.Mask : field.FullMask) { WireBytes = condition.WireBytes, IsLoad2 = load2 };
    }

    private static RegLoad DecodeLoad(ref WireReader r)
    {
        var range = r.U16();
        var target = SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), range);
        var value = r.U64();
        return target.Count < 64 && value >> target.Count != 0
            ? throw new OpenFlowFormatException($"load of 0x{value:x} into {target.Count} bits", "OFPBAC_BAD_ARGUMENT")
            : new RegLoad(target, value);
    }

    private static RegMove DecodeMove(ref WireReader r, bool onf)
    {
        r.Skip(onf ? 2 : 0);
        var (count, from, to) = (r.U16(), r.U16(), r.U16());
        r.Skip(onf ? 2 : 0);
        var source = SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), from, count);
        return new RegMove(source, SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), to, count)) { IsOnfCopy = onf };
    }

    private static Resubmit DecodeResubmit(ref WireReader r, bool isShort, bool ct)
    {
        var port = Ports.FromOpenFlow10(r.U16());
        var table = r.U8();
        return new Resubmit(isShort || table == 255 ? null : table, port, ct) { IsShort = isShort };
    }

    private static SetTunnel DecodeTunnel(ref WireReader r, bool wide)
    {
        r.Skip(wide ? 6 : 2);
        return new SetTunnel(wide ? r.U64() : r.U32()) { IsWide = wide };
    }

    private static WriteMetadataAction DecodeMetadata(ref WireReader r)
    {
        r.Skip(6);
        return new WriteMetadataAction(r.U64(), r.U64());
    }

    private static Multipath DecodeMultipath(ref WireReader r)
    {
        var (fields, basis) = (r.U16(), r.U16());
        r.Skip(2);
        var (algorithm, maxLink, argument) = (r.U16(), r.U16(), r.U32());
        r.Skip(2);
        var range = r.U16();
        return new Multipath((HashFields)fields, basis, algorithm, maxLink + 1, argument, SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), range));
    }

    private static PortBundle DecodeBundle(ref WireReader r, bool load)
    {
        var (algorithm, fields, basis) = (r.U16(), r.U16(), r.U16());
        r.Skip(4);
        var count = r.U16();
        var range = r.U16();
        BitRange? target = null;
        if (load)
        {
            target = SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), range);
        }
        else
        {
            r.Skip(4);
        }

        r.Skip(4);
        if (count * 2 > r.Remaining)
        {
            throw new OpenFlowFormatException($"bundle: {count} members in {r.Remaining} bytes", "OFPBAC_BAD_LEN");
        }

        var members = new uint[count];
        for (var i = 0; i < count; i++)
        {
            members[i] = Ports.FromOpenFlow10(r.U16());
        }

        return new PortBundle((HashFields)fields, basis, algorithm, [.. members], target);
    }

    private static OutputReg DecodeOutputReg(ref WireReader r)
    {
        var range = r.U16();
        return new OutputReg(SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), range), r.U16());
    }

    private static OutputReg DecodeOutputReg2(ref WireReader r)
    {
        var range = r.U16();
        var max = r.U16();
        return new OutputReg(SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), range), max);
    }

    private static DecTtlWithIds DecodeTtlIds(ref WireReader r)
    {
        var count = r.U16();
        r.Skip(4);
        if (count * 2 > r.Remaining)
        {
            throw new OpenFlowFormatException($"dec_ttl: {count} controller ids in {r.Remaining} bytes", "OFPBAC_BAD_LEN");
        }

        var ids = new ushort[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = r.U16();
        }

        return new DecTtlWithIds(ImmutableArray.Create(ids));
    }

    private static Stack DecodeStack(ref WireReader r, bool push)
    {
        var offset = r.U16();
        var field = OxmCodec.ReadHeader(ref r);
        return new Stack(SubfieldCodec.Range(field, offset, r.U16()), push);
    }

    private static Sample DecodeSample(ref WireReader r, int subtype)
    {
        var (probability, set, domain, point) = (r.U16(), r.U32(), r.U32(), r.U32());
        uint? port = null;
        byte direction = 0;
        if (subtype != 29)
        {
            var p = r.U16();
            port = p == 0xffff ? null : Ports.FromOpenFlow10(p);
            direction = subtype == 41 ? r.U8() : (byte)0;
        }

        return probability != 0 && direction <= 2
            ? new Sample(probability, set, domain, point, port, direction) { Subtype = subtype }
            : throw new OpenFlowFormatException("sample: probability 0, or an unknown direction", "OFPBAC_BAD_ARGUMENT");
    }

    private static Conjunction DecodeConjunction(ref WireReader r)
    {
        var (clause, clauses, id) = (r.U8(), r.U8(), r.U32());
        return clauses is >= 2 and <= 64 && clause < clauses
            ? new Conjunction(id, (byte)(clause + 1), clauses)
            : throw new OpenFlowFormatException($"conjunction: clause {clause + 1} of {clauses}", "NXBAC_BAD_CONJUNCTION");
    }

    private static ToController DecodeController2(ref WireReader r)
    {
        r.Skip(6);
        var controller = new ToController { IsExtended = true };
        while (r.Remaining >= 4)
        {
            var start = r.Position;
            var (type, length) = (r.U16(), r.U16());
            if (length < 4)
            {
                throw new OpenFlowFormatException($"controller: a property of length {length}", "OFPBPC_BAD_LEN");
            }

            var body = new WireReader(r.Take(length - 4));
            controller = type switch
            {
                0 => controller with { MaxLength = body.U16() },
                1 => controller with { ControllerId = body.U16() },
                2 => controller with { Reason = body.U8() },
                3 => controller with { UserData = body.Rest.ToArray() },
                4 => controller with { Pause = true },
                5 => controller with { MeterId = body.U32() },
                _ => throw new OpenFlowFormatException($"controller: unknown property {type}", "OFPBPC_BAD_TYPE"),
            };
            r.SkipPadding(start);
        }

        return controller;
    }

    private static OutputTruncated DecodeTruncated(ref WireReader r) => new(Ports.FromOpenFlow10(r.U16()), r.U32());

    private static Clone DecodeClone(ref WireReader r)
    {
        r.Skip(6);
        return new Clone(ActionList.Read(r.Rest));
    }

    private static Encap DecodeEncap(ref WireReader r)
    {
        var (size, type) = (r.U16(), r.U32());
        return new Encap(type, size, [.. r.Rest]);
    }

    private static Decap DecodeDecap(ref WireReader r)
    {
        r.Skip(2);
        return new Decap(r.U32());
    }

    private static CheckPacketLarger DecodeCheckLarger(ref WireReader r)
    {
        var (length, offset) = (r.U16(), r.U16());
        return new CheckPacketLarger(length, SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), offset, 1));
    }
}
