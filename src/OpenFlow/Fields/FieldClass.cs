namespace Weft.OpenFlow.Fields;

/// <summary>The OXM class of a header, and the experimenter where the class is 0xffff (meta-flow.h).</summary>
internal enum FieldClass
{
    Nxm0,
    Nxm1,
    Basic,
    PacketRegs,
    Ericsson,
    NiciraExperimenter,
    Onf,
    Nsh,
}

/// <summary>One encoding of a field.</summary>
internal readonly record struct FieldHeader(string Name, FieldClass Class, int Number);
