using System.Collections.Immutable;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Switch;

/// <remarks>
/// ONF bundles (extension 230 of OpenFlow 1.3; OpenFlow 1.4, section 7.3.9), atomic and ordered. They are not opened: the first member does that
/// (7.3.9.7). A switch answers only control messages, so whatever it refuses as it reads a member is known when it has answered the next of those.
/// </remarks>
public sealed partial class OpenFlowConnection
{
    /// <summary>OFPBF_ATOMIC and OFPBF_ORDERED.</summary>
    private const ushort AtomicOrdered = 3;

    /// <summary>OFPET_BAD_REQUEST.</summary>
    private const ushort BadRequest = 1;

    /// <summary>Commits all messages or none, in order. Two round trips.</summary>
    /// <param name="messages">Flow and group mods and packet-outs; Open vSwitch takes no meter mods in bundles.</param>
    /// <param name="cancel">Ends the wait; after the commit was sent the outcome is unknown.</param>
    /// <exception cref="OpenFlowErrorException">The switch takes no bundles.</exception>
    public async Task<BundleOutcome> CommitAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default)
    {
        if (messages.Count == 0)
        {
            return BundleOutcome.Nothing;
        }

        var bundle = _pending.Reserve(messages.Count + 1);
        using var refusals = Refusals(bundle, messages);
        if (await WriteBundleAsync(bundle, messages, BundleControlType.CloseRequest, cancel).ConfigureAwait(false) is { } refused)
        {
            return new BundleOutcome(false, refusals.Or(refused));
        }

        var failures = refusals.Take();
        if (failures.Length == 0)
        {
            refused = await ControlAsync(bundle, BundleControlType.CommitRequest, cancel).ConfigureAwait(false);
            return refused is null ? new BundleOutcome(true, refusals.Take()) : new BundleOutcome(false, refusals.Or(refused));
        }

        await ControlAsync(bundle, BundleControlType.DiscardRequest, cancel).ConfigureAwait(false);
        return new BundleOutcome(false, failures);
    }

    /// <summary>Commits in one round trip all messages that the switch can read, or none of them, in order.</summary>
    /// <returns>When it was committed, what is not among the failures is in effect; otherwise nothing is.</returns>
    /// <inheritdoc cref="CommitAsync"/>
    public async Task<BundleOutcome> CommitReadableAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default)
    {
        if (messages.Count == 0)
        {
            return BundleOutcome.Nothing;
        }

        var bundle = _pending.Reserve(messages.Count + 1);
        using var refusals = Refusals(bundle, messages);
        return await WriteBundleAsync(bundle, messages, BundleControlType.CommitRequest, cancel).ConfigureAwait(false) is { } refused
            ? new BundleOutcome(false, refusals.Or(refused))
            : new BundleOutcome(true, refusals.Take());
    }

    /// <summary>Writes the members and a control message in one piece: a switch with hundreds of ports takes milliseconds for each time that it is woken.</summary>
    /// <returns>Why the control message was refused, or null.</returns>
    private async Task<ErrorMessage?> WriteBundleAsync(uint bundle, IReadOnlyList<OpenFlowMessage> messages, BundleControlType type, CancellationToken cancel)
    {
        var xid = bundle + (uint)messages.Count;
        var control = new BundleControl(bundle, type, AtomicOrdered);
        return await AnswerAsync(xid, control, () => WriteAllAsync(messages.Count + 1, i =>
        {
            if (i < messages.Count)
            {
                BundleWriter.Add(_writer, bundle + (uint)i, bundle, AtomicOrdered, messages[i]);
            }
            else
            {
                control.Encode(_writer, xid);
            }
        }, cancel), cancel).ConfigureAwait(false);
    }

    private Task<ErrorMessage?> ControlAsync(uint bundle, BundleControlType type, CancellationToken cancel)
    {
        var xid = _pending.Reserve(1);
        var control = new BundleControl(bundle, type, AtomicOrdered);
        return AnswerAsync(xid, control, () => WriteAsync(xid, [control], cancel), cancel);
    }

    private async Task<ErrorMessage?> AnswerAsync(uint xid, BundleControl control, Func<Task> write, CancellationToken cancel)
    {
        var answer = _pending.Add(xid, null);
        try
        {
            await write().ConfigureAwait(false);
            return await answer.WaitAsync(cancel).ConfigureAwait(false) switch
            {
                // Not the bundle but bundles as such: the members were refused with it, each of them.
                ErrorMessage { ErrorType: BadRequest } none => throw new OpenFlowErrorException(none, nameof(BundleControl)),
                ErrorMessage error => error,
                _ => null,
            };
        }
        finally
        {
            _pending.Remove(xid);
        }
    }

    private BundleRefusals Refusals(uint first, IReadOnlyList<OpenFlowMessage> messages) => new(_pending, _pending.AddRange(first, messages.Count), messages);

    /// <summary>Listens for what the switch refuses of a bundle until disposed.</summary>
    private sealed class BundleRefusals(PendingRequests pending, ErrorRange range, IReadOnlyList<OpenFlowMessage> messages) : IDisposable
    {
        public ImmutableArray<MessageFailure> Take() => [.. range.Take().Select(f => new MessageFailure(f.Index, messages[f.Index], f.Error))];

        /// <summary>The members' own errors, which come before the bundle's; or that.</summary>
        public ImmutableArray<MessageFailure> Or(ErrorMessage refused) => Take() is { Length: > 0 } failures ? failures : [new MessageFailure(-1, null, refused)];

        public void Dispose() => pending.RemoveRange(range);
    }
}
