using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Services;

namespace Weft.Agent.Sync;

/// <summary>Brings the host in line with the facts: addresses, routes, masquerading. Called by the agent's loop only.</summary>
public sealed class HostSync(HostNetwork network, HostFacts host, ServiceHealth health, HostIsolation isolation)
{
    private HostPlan? _applied;

    // What the applied plan was made from; all that Services add is one object until it changes (HostServices).
    private Slice? _slice;
    private object? _services;
    private int _mtu;

    private IReadOnlyDictionary<int, HealthCheck>? _checked;
    private IReadOnlyList<string> _planProblems = [];
    private IReadOnlyList<string> _healthProblems = [];

    /// <summary>What cannot be done at the moment, with the remedy; empty when all is well.</summary>
    public IReadOnlyList<string> Problems => [.. _planProblems, .. _healthProblems];

    /// <summary>Why processes of the host network reach tenant pods although they should not; null when they do not.</summary>
    public string? Open => isolation.Problem;

    /// <summary>A pod comes; <see cref="ApplyAsync"/> closes a tenant's aliases to the host network.</summary>
    public void Add(Attachment attachment) => isolation.Add(attachment.Aliases);

    /// <summary>A pod goes; <see cref="ForgetAsync"/> frees its aliases.</summary>
    public void Remove(Attachment attachment) => isolation.Remove(attachment.Aliases);

    /// <summary>To be called when the switch has nothing of the pods that went any more.</summary>
    public Task ForgetAsync(CancellationToken ct) => isolation.ForgetAsync(ct);

    /// <summary>Applies the plan when it differs from the last one that succeeded; what others change, <see cref="HostNetwork"/> repairs by itself.</summary>
    public async Task ApplyAsync(NodeFacts facts, HostServices services, CancellationToken ct)
    {
        await isolation.ApplyAsync(ct).ConfigureAwait(false);
        if (!ReferenceEquals(_checked, services.HealthChecks) || _healthProblems.Count > 0)
        {
            _checked = services.HealthChecks;
            _healthProblems = health.Set(_checked);
        }

        // A pod that comes or goes changes nothing here, and would pay for a plan over all nodes.
        var mtu = host.PodMtu(facts) ?? 0;
        if (_applied is not null && ReferenceEquals(_slice, facts.Slice) && ReferenceEquals(_services, services.HealthChecks) && _mtu == mtu)
        {
            return;
        }

        var plan = HostPlanner.Plan(facts, mtu, services);
        (_slice, _services, _mtu) = (facts.Slice, services.HealthChecks, mtu);
        if (plan == _applied)
        {
            return;
        }

        _applied = null;
        var changes = await network.ApplyAsync(plan, ct).ConfigureAwait(false);
        _planProblems = [.. changes.Problems];
        _applied = changes.Problems.IsEmpty ? plan : null;
    }
}
