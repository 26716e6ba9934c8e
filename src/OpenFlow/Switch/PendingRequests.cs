using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Switch;

/// <summary>Who waits for which transaction id. Safe for concurrent use.</summary>
/// <remarks>The first failure ends all waits, and every later one, with the same reason.</remarks>
internal sealed class PendingRequests
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, Waiter> _waiters = [];
    private readonly List<ErrorRange> _ranges = [];
    private Exception? _failure;
    private uint _next = 1;

    /// <summary>Takes <paramref name="count"/> transaction ids in a row; never 0, which switches use for events.</summary>
    public uint Reserve(int count)
    {
        lock (_lock)
        {
            if (_next > uint.MaxValue - (uint)count - 1)
            {
                _next = 1;
            }

            var first = _next;
            _next += (uint)count;
            return first;
        }
    }

    /// <summary>Waits for the answer to <paramref name="xid"/>; parts of multipart answers go to <paramref name="onPart"/>, in order.</summary>
    public Task<OpenFlowMessage> Add(uint xid, Action<Multipart>? onPart)
    {
        lock (_lock)
        {
            if (_failure is not null)
            {
                return Task.FromException<OpenFlowMessage>(_failure);
            }

            var waiter = new Waiter(onPart);
            _waiters.Add(xid, waiter);
            return waiter.Source.Task;
        }
    }

    /// <summary>Forgets a waiter whose caller gave up.</summary>
    public void Remove(uint xid)
    {
        lock (_lock)
        {
            _waiters.Remove(xid);
        }
    }

    /// <summary>Collects the errors of messages that have no answer of their own.</summary>
    public ErrorRange AddRange(uint first, int count)
    {
        var range = new ErrorRange(first, count);
        lock (_lock)
        {
            _ranges.Add(range);
        }

        return range;
    }

    public void RemoveRange(ErrorRange range)
    {
        lock (_lock)
        {
            _ranges.Remove(range);
        }
    }

    /// <summary>Hands a message to its waiter; false when nobody waits.</summary>
    public bool Complete(uint xid, OpenFlowMessage message)
    {
        Waiter? waiter;
        lock (_lock)
        {
            if (message is ErrorMessage error)
            {
                foreach (var range in _ranges)
                {
                    if (range.Holds(xid))
                    {
                        range.Add(xid, error);
                        return true;
                    }
                }
            }

            if (!_waiters.TryGetValue(xid, out waiter))
            {
                return false;
            }

            if (message is not Multipart { IsReply: true, More: true })
            {
                _waiters.Remove(xid);
            }
        }

        if (message is Multipart { IsReply: true } part)
        {
            try
            {
                waiter.OnPart?.Invoke(part);
            }
            catch (OpenFlowFormatException e)
            {
                Remove(xid);
                waiter.Source.TrySetException(e);
                return true;
            }

            if (part.More)
            {
                return true;
            }
        }

        waiter.Source.TrySetResult(message);
        return true;
    }

    /// <summary>Ends all waits. Only the first call counts.</summary>
    public void Fail(Exception reason)
    {
        Waiter[] waiters;
        lock (_lock)
        {
            if (_failure is not null)
            {
                return;
            }

            _failure = reason;
            waiters = [.. _waiters.Values];
            _waiters.Clear();
        }

        foreach (var waiter in waiters)
        {
            waiter.Source.TrySetException(reason);
        }
    }

    private sealed class Waiter(Action<Multipart>? onPart)
    {
        public Action<Multipart>? OnPart { get; } = onPart;

        public TaskCompletionSource<OpenFlowMessage> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>Errors that came for a run of transaction ids.</summary>
internal sealed class ErrorRange(uint first, int count)
{
    private readonly Lock _lock = new();
    private readonly List<(int Index, ErrorMessage Error)> _errors = [];

    public bool Holds(uint xid) => xid - first < (uint)count;

    public void Add(uint xid, ErrorMessage error)
    {
        lock (_lock)
        {
            _errors.Add(((int)(xid - first), error));
        }
    }

    public (int Index, ErrorMessage Error)[] Take()
    {
        lock (_lock)
        {
            return [.. _errors];
        }
    }
}
