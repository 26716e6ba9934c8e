namespace Weft.Controller.Network;

/// <summary>Says which node has which policy and set: a node has the policies of the targets that have a pod there, and what these use.</summary>
/// <remarks>Every addition has its removal with the same condition, so the counts return to zero.</remarks>
internal static class PolicyDelivery
{
    /// <summary>A node got its first pod of a target.</summary>
    public static void NodeGained(Changes changes, TargetSet target, NodeState node)
    {
        foreach (var set in target.Uses.Items)
        {
            Need(changes, set, node);
        }

        NotePolicies(changes, target, node);
    }

    /// <summary>A node lost its last pod of a target.</summary>
    public static void NodeLost(Changes changes, TargetSet target, NodeState node)
    {
        foreach (var set in target.Uses.Items)
        {
            NoLongerNeed(changes, set, node);
        }

        NotePolicies(changes, target, node);
    }

    /// <summary>A policy of the target refers to a set.</summary>
    public static void Use(Changes changes, TargetSet target, MemberSet set)
    {
        if (target.Uses.Increment(set) == 1)
        {
            foreach (var node in target.LocalPods.Items)
            {
                Need(changes, set, node);
            }
        }
    }

    /// <summary>A policy of the target does not refer to a set any more.</summary>
    public static void StopUsing(Changes changes, TargetSet target, MemberSet set)
    {
        if (target.Uses.Decrement(set) == 0)
        {
            foreach (var node in target.LocalPods.Items)
            {
                NoLongerNeed(changes, set, node);
            }
        }
    }

    /// <summary>A policy came, changed or went.</summary>
    public static void NotePolicy(Changes changes, TargetSet target, PolicyState policy)
    {
        changes.Work++;
        if (!changes.IsFollowed)
        {
            return;
        }

        foreach (var node in target.LocalPods.Items)
        {
            changes.Note(node, policy, whole: true);
        }
    }

    private static void NotePolicies(Changes changes, TargetSet target, NodeState node)
    {
        // Without a reader nobody has to be told: the slice is read from the sets themselves.
        if (node.Journal is null)
        {
            return;
        }

        foreach (var policy in target.Policies.Items)
        {
            changes.Note(node, policy, whole: true);
        }
    }

    private static void Need(Changes changes, MemberSet set, NodeState node)
    {
        if (set.NeededBy.Increment(node) == 1)
        {
            changes.Note(node, set, whole: true);
        }
    }

    private static void NoLongerNeed(Changes changes, MemberSet set, NodeState node)
    {
        if (set.NeededBy.Decrement(node) == 0)
        {
            changes.Note(node, set, whole: true);
        }
    }
}
