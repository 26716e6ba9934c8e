using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Services;

namespace Weft.Agent.Sync;

/// <summary>Brings the host in line with the facts: addresses, routes, masquerading. Called by the agent's loop only.</summary>
public sealed class HostSync(HostNetwork network, HostFacts host, ServiceHealth health)
{
    private HostPlan? _applied;
    private IReadOnlyDictionary<int, HealthCheck>? _checked;
    private IReadOnlyList<string> _planProblems = [];
    private IReadOnlyList<string> _healthProblems = [];

    /// <summary>What cannot be done at the moment, with the remedy; empty when all is well.</summary>
    public IReadOnlyList<string> Problems => [.. _planProblems, .. _healthProblems];

    /// <summary>Applies the plan when it differs from the last one that succeeded; what others change, <see cref="HostNetwork"/> repairs by itself.</summary>
    public async Task ApplyAsync(NodeFacts facts, HostServices services, CancellationToken ct)
    {
        if (!ReferenceEquals(_checked, services.HealthChecks) || _healthProblems.Count > 0)
        {
            _checked = services.HealthChecks;
            _healthProblems = health.Set(_checked);
        }

        var plan = HostPlanner.Plan(facts, host.PodMtu(facts) ?? 0, services);
        if (plan == _applied)
        {
            return;
        }

        var changes = await network.ApplyAsync(plan, ct).ConfigureAwait(false);
        _planProblems = [.. changes.Problems];
        _applied = changes.Problems.IsEmpty ? plan : null;
    }
}
