namespace Weft.OpenFlow;

/// <summary>What a flow does, as ovs-ofctl lists it behind "actions=": an action, or an instruction.</summary>
public abstract record FlowStep
{
    private protected FlowStep()
    {
    }

    internal abstract void Format(Text.FlowTextWriter text);

    /// <summary>The step in ovs-ofctl syntax.</summary>
    public sealed override string ToString()
    {
        var text = new Text.FlowTextWriter(null);
        Format(text);
        return text.ToString();
    }
}
