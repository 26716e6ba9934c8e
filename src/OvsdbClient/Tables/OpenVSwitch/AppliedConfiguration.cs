namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A configuration that ovs-vswitchd has carried out.</summary>
/// <param name="Outcome">The database's outcome.</param>
/// <param name="Generation">The value of <c>next_cfg</c> that it got.</param>
/// <param name="Snapshot">The database when <c>cur_cfg</c> had reached it: <c>ofport</c>, <c>datapath_id</c> and <c>error</c> are set.</param>
public sealed record AppliedConfiguration(TransactionOutcome Outcome, long Generation, DatabaseSnapshot Snapshot)
{
    /// <summary>The interfaces that ovs-vswitchd could not set up, with its reason. The client must follow
    /// <see cref="Interface.Name"/> and <see cref="Interface.Error"/>.</summary>
    public IReadOnlyDictionary<string, string> InterfaceErrors => Snapshot.Rows<Interface>()
        .Where(r => r.Get(Interface.Error) is not null)
        .ToDictionary(r => r.Get(Interface.Name), r => r.Get(Interface.Error)!);
}
