namespace Weft.Lab.Kubelet;

/// <summary>A container that was started.</summary>
internal interface IRunningContainer
{
    /// <summary>The exit code, when it has ended.</summary>
    Task<int> Ended { get; }

    /// <summary>Ends it: politely, then by force after <paramref name="grace"/>. Returns when it is gone.</summary>
    Task StopAsync(TimeSpan grace);
}
