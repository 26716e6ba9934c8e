using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Sync;

namespace Weft.Agent;

/// <summary>The switch's side of ports that are made before their pods come: numbers from the loop, rows in OVSDB.</summary>
public sealed class SparePortRows(AgentOptions options, AgentLoop loop, BridgeRows rows, HostFacts host) : ISparePorts
{
    private static readonly TimeSpan SwitchPatience = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public int? Mtu => host.PodMtu(loop.Published.Facts);

    /// <inheritdoc/>
    public bool DisableTxOffload => options.DatapathType == "netdev";

    /// <inheritdoc/>
    public IReadOnlyCollection<(string Name, bool IsOpen)> Known => [.. rows.Spares.Select(p => (p.Name, p.OfPort is > 0))];

    /// <inheritdoc/>
    public Task OpenAsync(IReadOnlyList<string> names, CancellationToken ct) => AskAsync(async limit =>
        await rows.AddSparesAsync(await loop.ReserveAsync(names).WaitAsync(limit).ConfigureAwait(false), limit).ConfigureAwait(false), ct);

    /// <inheritdoc/>
    public Task CloseAsync(IReadOnlyList<string> names, CancellationToken ct) => AskAsync(async limit =>
    {
        await rows.RemovePortsAsync(names, limit).ConfigureAwait(false);
        await loop.ForgetAsync(names).WaitAsync(limit).ConfigureAwait(false);
    }, ct);

    private static async Task AskAsync(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        try
        {
            await work(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            throw new PodNetworkException(CniErrorCode.TryAgainLater, e is OperationCanceledException ? "Open vSwitch did not confirm in time" : e.Message, inner: e);
        }
    }
}
