using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;

namespace Weft.Agent.Sync;

/// <summary>The messages that bring a switch from what it has to what it should have.</summary>
internal static class ChangeMessages
{
    /// <summary>In this order, each can be carried out: referents come first and go last, so a flow never names a group that is not there.</summary>
    public static List<OpenFlowMessage> Of(Difference<FlowKey, Flow> flows, Difference<uint, Group> groups)
    {
        var messages = new List<OpenFlowMessage>(flows.Count + groups.Count);
        messages.AddRange(groups.Upserts.Select(g => new GroupMod(GroupCommand.AddOrModify, g.Value)));
        messages.AddRange(flows.Upserts.Select(f => FlowMod.Add(f.Value)));
        messages.AddRange(flows.Deletes.Select(f => FlowMod.Delete(f.Key)));
        messages.AddRange(groups.Deletes.Select(g => GroupMod.Delete(g.Key)));
        return messages;
    }
}
