namespace Weft.Ovsdb;

/// <content>Repeating transactions safely.</content>
public sealed partial class OvsdbClient
{
    private readonly SemaphoreSlim _once = new(1, 1);

    /// <summary>Commits a transaction exactly once, over any number of lost connections.</summary>
    /// <remarks>
    /// The transaction also writes a mark into <paramref name="witness"/> and requires that the mark is not there yet: an attempt that
    /// was carried out although its reply was lost makes every later one fail, and that failure is recognised as success
    /// (<see cref="TransactionOutcome.WasCommittedEarlier"/>). When the witness's row does not exist, nothing is committed and the outcome is a conflict. Calls of one client wait for each other. Waits for a connection when there is none.
    /// </remarks>
    /// <exception cref="OperationCanceledException">Cancelled: whether it was carried out is unknown once it had been sent.</exception>
    public async Task<TransactionOutcome> CommitOnceAsync<TTable>(
        Transaction transaction, CommitWitness<TTable> witness, CancellationToken cancellationToken = default)
        where TTable : Table<TTable>, ITable
    {
        ArgumentNullException.ThrowIfNull(transaction);
        ArgumentNullException.ThrowIfNull(witness);
        var mark = Guid.NewGuid().ToString("D");
        var marked = new Transaction();
        var check = marked.RequireNone(
            new Condition<TTable>("_uuid", ConditionFunction.Equal, OvsdbValue.Of(witness.Row)), witness.Column.Includes(OvsdbMap.Of((witness.Key, mark))));
        // Without its row the mark would be lost silently, and with it the promise.
        marked.Wait(TTable.TableName, [Condition.Row(witness.Row)], ["_uuid"], equal: false, [], TimeSpan.Zero);
        marked.Append(transaction);
        marked.Mutate<TTable>(witness.Row, witness.Column.DeleteKeys(witness.Key), witness.Column.Insert(witness.Key, mark));

        await _once.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var failures = 1; ; failures++)
            {
                await WaitUntilLiveAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    var outcome = await CommitAsync(marked, cancellationToken).ConfigureAwait(false);
                    if (outcome.Error is { IsConflict: true } error && ReferenceEquals(error.Operation, check))
                    {
                        return TransactionOutcome.CommittedEarlier(marked.Operations);
                    }

                    if (outcome.Error is not { IsTransient: true, IsConflict: false } || failures >= MaxAttempts)
                    {
                        return outcome;
                    }
                }
                catch (OvsdbException e) when (e.IsTransient)
                {
                    // Lost before, during or after: the mark tells them apart.
                }

                await Task.Delay(_options.Reconnect.Delay(Math.Min(failures, 4), Random.Shared.NextDouble()), _options.Connection.Time, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        finally
        {
            _once.Release();
        }
    }

    /// <summary>Builds a transaction from the newest snapshot and commits it; when a check in it did not hold, builds it again.</summary>
    /// <remarks>
    /// For "read, decide, write": let the transaction require what was read (<see cref="Transaction.RequireUnchanged"/>). Repeated are conflicts and
    /// refusals that may pass, and connections that were lost before sending; not one lost afterwards, since it may have been carried out.
    /// </remarks>
    /// <param name="build">Returns null when nothing is to be done. May be called several times.</param>
    /// <param name="cancellationToken">Ends the attempts.</param>
    /// <returns>The outcome of the last attempt; null when there was nothing to do.</returns>
    /// <exception cref="OvsdbConnectionException">The connection broke after sending.</exception>
    public async Task<TransactionOutcome?> CommitRetryingAsync(Func<DatabaseSnapshot, Transaction?> build, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(build);
        for (var failures = 1; ; failures++)
        {
            var snapshot = await WaitUntilLiveAsync(cancellationToken).ConfigureAwait(false);
            if (build(snapshot) is not { } transaction)
            {
                return null;
            }

            try
            {
                var outcome = await CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
                if (outcome.Error is not { IsTransient: true } || failures >= MaxAttempts)
                {
                    return outcome;
                }
            }
            catch (OvsdbConnectionException e) when (!e.MayHaveBeenApplied && failures < MaxAttempts)
            {
                // It was never sent.
                continue;
            }

            // The server answered before or after the change that stood in the way reached us: give it a moment to come.
            await Task.Delay(_options.Reconnect.Delay(Math.Min(failures, 4), Random.Shared.NextDouble()) / 10, _options.Connection.Time, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private const int MaxAttempts = 50;
}
