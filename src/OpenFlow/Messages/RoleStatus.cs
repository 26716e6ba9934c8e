using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>The switch changed this controller's role (ONF extension 191).</summary>
/// <param name="Role">The role now: 1 equal, 2 master, 3 slave.</param>
/// <param name="Reason">0 another controller became master, 1 the configuration changed, 2 experimenter data changed.</param>
/// <param name="GenerationId">The generation of the claim; all ones when there is none.</param>
public sealed record RoleStatus(uint Role, byte Reason, ulong GenerationId) : OpenFlowMessage
{
    internal const uint Subtype = 1911;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Onf);
        w.U32(Subtype);
        w.U32(Role);
        w.U8(Reason);
        w.Zeros(3);
        w.U64(GenerationId);
    }

    internal static RoleStatus Decode(ref WireReader r)
    {
        var (role, reason) = (r.U32(), r.U8());
        r.Skip(3);
        return new RoleStatus(role, reason, r.U64());
    }
}
