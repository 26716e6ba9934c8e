using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Services;

namespace Weft.Agent.Sync;

/// <summary>Brings the host in line with the facts: addresses, routes, masquerading. Called by the agent's loop only.</summary>
public sealed class HostSync(HostNetwork network, HostFacts host)
{
    private HostPlan? _applied;

    /// <summary>What cannot be done at the moment, with the remedy; empty when all is well.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>Applies the plan when it differs from the last one that succeeded; what others change, <see cref="HostNetwork"/> repairs by itself.</summary>
    public async Task ApplyAsync(NodeFacts facts, HostServices services, CancellationToken ct)
    {
        var plan = HostPlanner.Plan(facts, host.PodMtu(facts) ?? 0, services);
        if (plan == _applied)
        {
            return;
        }

        var changes = await network.ApplyAsync(plan, ct).ConfigureAwait(false);
        Problems = [.. changes.Problems];
        _applied = changes.Problems.IsEmpty ? plan : null;
    }
}
