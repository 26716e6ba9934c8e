using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Switch;

/// <summary>Writes bundle members without a record per member: 24 bytes of header around the message itself.</summary>
internal static class BundleWriter
{
    public static void Add(WireWriter w, uint xid, uint bundle, ushort flags, OpenFlowMessage message)
    {
        var start = w.Length;
        w.U8(OpenFlowMessage.Version);
        w.U8((byte)MessageType.Experimenter);
        w.U16(0);
        w.U32(xid);
        w.U32(Vendors.Onf);
        w.U32(BundleControl.AddSubtype);
        w.U32(bundle);
        w.U16(0);
        w.U16(flags);
        message.Encode(w, xid);
        w.PatchU16(start + 2, w.Length - start);
    }
}
