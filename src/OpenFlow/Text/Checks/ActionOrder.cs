using Weft.OpenFlow.Actions;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>What may stand beside and inside what (ofpacts_verify in ofp-actions.c).</summary>
internal static class ActionOrder
{
    private const string BadSetArgument = "OFPBAC_BAD_SET_ARGUMENT";

    /// <summary>What actions are inside of.</summary>
    public enum Outer
    {
        /// <summary>A flow's instructions.</summary>
        Flow,

        /// <summary>A list of actions alone: clone, a bucket, a packet-out.</summary>
        List,

        /// <summary>ct.</summary>
        Conntrack,
    }

    /// <exception cref="OpenFlowFormatException">Named as Open vSwitch names it.</exception>
    public static void Check(IReadOnlyList<FlowAction> actions, Outer outer)
    {
        var wroteMetadata = false;
        foreach (var action in actions)
        {
            if (action is Conjunction)
            {
                CheckConjunctions(actions);
                return;
            }

            CheckNested(action, outer);

            // Metadata are written by what is an instruction, behind all actions and once.
            var writes = action is WriteMetadataAction;
            ActionBytes.Require(!wroteMetadata, "OFPBAC_UNSUPPORTED_ORDER");
            ActionBytes.Require(!writes || outer == Outer.Flow, "OFPBIC_UNSUP_INST");
            wroteMetadata = writes;
        }
    }

    /// <summary>Only these may be in an action set.</summary>
    public static void CheckSet(IReadOnlyList<FlowAction> actions) => ActionBytes.Require(
        actions.All(a => a is Output or ToGroup or ChangeHeader or DecTtlWithIds or SetField or RegLoad or RegMove or SetOlderField or SetTunnel or SetQueue or Encap or Decap
            or Conntrack or Resubmit or SimpleAction { Operation: SimpleOperation.DecNshTtl or SimpleOperation.CtClear }),
        "OFPBAC_BAD_TYPE");

    /// <summary>Conjunctions stand alone, but for notes.</summary>
    private static void CheckConjunctions(IReadOnlyList<FlowAction> actions)
    {
        foreach (var action in actions)
        {
            ActionBytes.Require(action is Conjunction or Note, "NXBAC_BAD_CONJUNCTION");
        }
    }

    private static void CheckNested(FlowAction action, Outer outer)
    {
        var written = action switch { SetField set => set.Field, RegLoad load => load.Target.Field, RegMove move => move.Target.Field, _ => null };
        var ofConnection = written == F.CtMark || written == F.CtLabel;
        ActionBytes.Require(!ofConnection || outer == Outer.Conntrack, BadSetArgument);
        if (action is Nat)
        {
            ActionBytes.Require(outer == Outer.Conntrack, BadSetArgument);
        }
        else if (outer == Outer.Conntrack)
        {
            ActionBytes.Require(ofConnection, "OFPBAC_BAD_ARGUMENT");
        }
    }
}
