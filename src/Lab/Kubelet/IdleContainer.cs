namespace Weft.Lab.Kubelet;

/// <summary>A container without a command: it is there until it is stopped, and needs no process for that.</summary>
internal sealed class IdleContainer : IRunningContainer
{
    private readonly TaskCompletionSource<int> _ended = new();

    public Task<int> Ended => _ended.Task;

    public Task StopAsync(TimeSpan grace)
    {
        _ended.TrySetResult(0);
        return Task.CompletedTask;
    }
}
