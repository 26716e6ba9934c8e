using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Host.Netlink;
using Weft.Agent.Names;
using Weft.Agent.Plan;
using Weft.Agent.Sync;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;

namespace Weft.Agent;

/// <summary>Compares the switch and the host with what an agent would plan from nothing. Changes nothing, and needs no running agent.</summary>
public static class Verification
{
    /// <summary>Reads everything once and compares.</summary>
    /// <returns>One line for each difference; what the switch learned by itself is none.</returns>
    /// <exception cref="OperationCanceledException">OVSDB or the switch did not answer in time.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(AgentOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        var slice = new SliceFile(Path.Combine(options.StateDir, "node-state.ndjson"), NullLogger<SliceFile>.Instance).Read();
        if (!slice.IsKnown || slice.Settings is not { } settings)
        {
            return [$"no node state in {options.StateDir}"];
        }

        var names = new NameJournal(Path.Combine(options.StateDir, NameJournal.FileName), NullLogger<NameJournal>.Instance).Read();
        var rows = new BridgeRows(options, NullLogger<BridgeRows>.Instance);
        await using var owned = rows.ConfigureAwait(false);
        var ports = await rows.ReadAsync(ct).ConfigureAwait(false);
        var facts = new NodeFacts
        {
            NodeName = options.NodeName,
            Slice = slice,
            Ports = ports.Select(p => p.Attached).OfType<AttachedPort>().ToImmutableDictionary(p => p.Id),
            Names = names,
            SwitchAdvertises = DatapathFeatures.WritesAdvertisements(options.DatapathType),
        };
        var planner = new FlowPlanner();
        planner.PlanAll(facts);
        var host = HostPlanner.Plan(facts, new HostFacts(options, TimeProvider.System).PodMtu(facts) ?? 0, planner.HostServices);
        return
        [
            .. rows.NeedsRepair(settings) ? [$"ovsdb: rows of bridge {options.Bridge} or its infrastructure ports differ"] : Array.Empty<string>(),
            .. ports.Where(p => p.Attachment is not null && p.OfPort is null or <= 0).Select(p => $"ovsdb: port {p.Name} is not open: {p.Error ?? "no OpenFlow number"}"),
            .. await CompareSwitchAsync(options, planner, ct).ConfigureAwait(false),
            .. await CompareHostAsync(new HostTargets(host), ct).ConfigureAwait(false),
        ];
    }

    private static async Task<IEnumerable<string>> CompareSwitchAsync(AgentOptions options, FlowPlanner planner, CancellationToken ct)
    {
        var connection = new OpenFlowSwitch(OpenFlowEndpoint.Unix(Path.Combine(options.OvsRunDir, options.Bridge + ".mgmt")));
        await using var owned = connection.ConfigureAwait(false);
        connection.Start();
        await connection.WaitForLiveAsync(ct).ConfigureAwait(false);
        var flows = (await connection.DumpFlowsAsync(cancel: ct).ConfigureAwait(false)).Select(f => f.Flow).Where(f => !FlowSync.IsLearned(f)).ToDictionary(f => f.Key);
        var groups = (await connection.DumpGroupsAsync(ct).ConfigureAwait(false)).ToDictionary(g => g.Id);
        return Compare("flow", planner.Flows, flows, f => FlowText.Format(f)).Concat(Compare("group", planner.Groups, groups, g => GroupText.Format(g)));
    }

    private static IEnumerable<string> Compare<TKey, TValue>(string what, OwnedEntries<TKey, TValue> planned, Dictionary<TKey, TValue> there, Func<TValue, string> format)
        where TKey : notnull
        where TValue : notnull
    {
        var differences = planned.All
            .Where(p => !there.TryGetValue(p.Key, out var value) || !value.Equals(p.Value))
            .Select(p => there.TryGetValue(p.Key, out var value) ? $"{what} differs: {format(value)} instead of {format(p.Value)}" : $"{what} missing: {format(p.Value)}");
        return differences.Concat(there.Where(t => !planned.TryGet(t.Key, out _)).Select(t => $"{what} not planned: {format(t.Value)}"));
    }

    private static async Task<IEnumerable<string>> CompareHostAsync(HostTargets targets, CancellationToken ct)
    {
        using var netlink = RouteNetlink.Open();
        var changes = new HostInterfaces(netlink, onlyCompare: true).Apply(targets);
        var rules = await new Nftables(null).IsAsync(NftText.Of(targets), ct).ConfigureAwait(false);
        return changes.Applied.Concat(changes.Problems).Concat(rules ? [] : [$"nftables table inet {NftText.Table} differs"]).Select(c => $"host: would be {c}");
    }
}
