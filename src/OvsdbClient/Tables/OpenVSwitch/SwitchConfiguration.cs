namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>Committing changes that ovs-vswitchd must carry out, not only the database.</summary>
public static class SwitchConfiguration
{
    /// <summary>Commits a transaction and waits until ovs-vswitchd has applied it, as <c>ovs-vsctl</c> does without <c>--no-wait</c>.</summary>
    /// <remarks>
    /// The transaction also increments <c>Open_vSwitch.next_cfg</c>; ovs-vswitchd copies it to <c>cur_cfg</c> when it is done. Applied does not
    /// mean without errors: look at <see cref="AppliedConfiguration.InterfaceErrors"/>. The client must follow <see cref="OpenVSwitchTable.CurCfg"/>.
    /// The wait goes on over reconnects.
    /// </remarks>
    /// <exception cref="TransactionFailedException">The database refused the transaction.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; after the commit this ends only the wait, for instance because no ovs-vswitchd runs.</exception>
    /// <exception cref="OvsdbConnectionException">There is no connection, or it broke before the outcome was known.</exception>
    public static async Task<AppliedConfiguration> CommitAndApplyAsync(
        this OvsdbClient client, Transaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(transaction);
        var whole = new Transaction().Append(transaction);
        whole.Mutate([], OpenVSwitchTable.NextCfg.Add(1));
        var select = whole.Select<OpenVSwitchTable>([], [OpenVSwitchTable.NextCfg]);
        var outcome = (await client.CommitAsync(whole, cancellationToken).ConfigureAwait(false)).ThrowIfFailed();
        var generation = outcome.Rows(select).Select(r => r.Get(OpenVSwitchTable.NextCfg)).DefaultIfEmpty(0).Max();
        if (generation == 0)
        {
            throw new InvalidOperationException("the table Open_vSwitch is empty: run \"ovs-vsctl init\" first");
        }

        var snapshot = await client.Replica.WaitForAsync(
            s => s.Rows<OpenVSwitchTable>().Any(r => r.Get(OpenVSwitchTable.CurCfg) >= generation), cancellationToken).ConfigureAwait(false);
        return new AppliedConfiguration(outcome, generation, snapshot);
    }
}
