namespace Weft.Ovsdb;

/// <summary>A request that waits for its reply. Called by the reading thread only, except for cancellation.</summary>
internal abstract class PendingCall(string method)
{
    /// <summary>The request's method, for errors.</summary>
    public string Method => method;

    /// <summary>Reads the reply's result; keeps it until the whole message has been read.</summary>
    public abstract void ReadResult(OvsdbJsonReader reader);

    /// <summary>The reply is complete.</summary>
    public abstract void Complete();

    /// <summary>The server refused, or the connection is gone.</summary>
    public abstract void Fail(Exception reason);
}

/// <summary>A request whose result is read by a function.</summary>
/// <param name="method">The request's method.</param>
/// <param name="read">Reads the result.</param>
/// <param name="apply">What to do with it on the reading thread, before the next message is read.</param>
internal sealed class PendingCall<T>(string method, Func<OvsdbJsonReader, T> read, Action<T>? apply = null) : PendingCall(method)
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasResult;
    private T _result = default!;

    /// <summary>Completes with the result.</summary>
    public Task<T> Task => _source.Task;

    public override void ReadResult(OvsdbJsonReader reader)
    {
        _result = read(reader);
        _hasResult = true;
    }

    public override void Complete()
    {
        if (_hasResult)
        {
            apply?.Invoke(_result);
            _source.TrySetResult(_result);
        }
        else
        {
            _source.TrySetException(new OvsdbProtocolException($"the reply to \"{Method}\" has neither result nor error"));
        }
    }

    public override void Fail(Exception reason) => _source.TrySetException(reason);
}
