using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Sync;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>What the CNI commands see of the agent: the slice, the bridge and the switch together.</summary>
public sealed class PodNetwork(AgentOptions options, AgentLoop loop, BridgeRows rows, FlowSync flows, ControllerStream controller, HostFacts host, TimeProvider time) : IPodNetwork
{
    /// <summary>How long a pod may take to arrive from the controller after the runtime asked for it; runtimes ask again by themselves.</summary>
    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan SwitchPatience = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public IReadOnlyCollection<Attachment> Attachments => [.. loop.Published.Facts.Ports.Values.Select(p => p.Attachment)];

    /// <inheritdoc/>
    public string? NotReadyReason => loop.Published switch
    {
        { Facts.Slice.IsKnown: false } => $"no node state yet: the controller has not answered ({controller.LastFailure})",
        { Facts.Self: null } => $"the controller does not know node {options.NodeName}: check the agent's nodeName",
        { LastError: { } error } => error,
        _ => null,
    };

    /// <inheritdoc/>
    public async Task<PodInterfacePlan> FindPodAsync(string podNamespace, string podName, string uid, CancellationToken ct)
    {
        var id = $"{podNamespace}/{podName}";
        using var patience = new CancellationTokenSource(PodPatience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var found = await loop.ExpectAsync(
                facts => facts.Slice.Port(id) is { } port && (uid.Length == 0 || port.Uid == uid) && port.Node == options.NodeName ? new Found(facts, port) : null, limit.Token).ConfigureAwait(false);
            return PlanFor(found.Facts, found.Port);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Unknown(id, uid);
        }
    }

    /// <inheritdoc/>
    public async Task AttachAsync(Attachment attachment, Task interfaceExists, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        try
        {
            var (port, confirmed) = await loop.AddAsync(attachment).WaitAsync(limit.Token).ConfigureAwait(false);
            await Task.WhenAll(confirmed.WaitAsync(limit.Token), AddPortAsync(port, interfaceExists, limit.Token)).ConfigureAwait(false);
            loop.NoteAttached(port.Id);
        }
        catch (Exception e)
        {
            await DetachAsync(attachment.ContainerId, attachment.IfName, attachment.HostInterface, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            throw new PodNetworkException(11, $"pod {attachment.Pod} could not be attached to {options.Bridge}: {(e is OperationCanceledException ? "Open vSwitch did not confirm in time" : e.Message)}",
                $"Is ovs-vswitchd running? Look at 'ovs-vsctl show' and the agent's log.", e);
        }
    }

    /// <inheritdoc/>
    public async Task IsolateAsync(string containerId, string ifName, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        await loop.RemoveAsync(AttachedPort.IdOf(containerId, ifName)).WaitAsync(limit.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task DetachAsync(string containerId, string ifName, string hostInterface, CancellationToken ct)
    {
        // Flows first: while vswitchd takes a port away it answers nobody.
        await IsolateAsync(containerId, ifName, ct).ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(SwitchPatience);
        await rows.RemovePortsAsync([hostInterface], limit.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<string?> CheckAsync(string containerId, string ifName, CancellationToken ct)
    {
        var state = loop.Published;
        if (!state.Facts.Ports.TryGetValue(AttachedPort.IdOf(containerId, ifName), out var port))
        {
            return Task.FromResult<string?>($"container {containerId} {ifName} is not attached to {options.Bridge}");
        }

        var row = rows.Find(port.Attachment.HostInterface);
        return Task.FromResult(row switch
        {
            null => $"port {port.Attachment.HostInterface} is missing in {options.Bridge}",
            { Error: { } error } => $"port {row.Name}: {error}",
            { OfPort: null or <= 0 } => $"port {row.Name} has no OpenFlow number: ovs-vswitchd has not taken it",
            _ => state.LastError,
        });
    }

    /// <summary>vswitchd takes a port whose interface is missing for broken, and looks again only when something else changes.</summary>
    private async Task AddPortAsync(AttachedPort port, Task interfaceExists, CancellationToken ct)
    {
        await interfaceExists.WaitAsync(ct).ConfigureAwait(false);
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(string name, uint number)
        {
            if (name == port.Attachment.HostInterface && number == port.OfPort)
            {
                opened.TrySetResult();
            }
        }

        flows.PortChanged += Look;
        try
        {
            await rows.AddPortAsync(port, opened.Task, ct).ConfigureAwait(false);
        }
        finally
        {
            flows.PortChanged -= Look;
        }
    }

    private PodInterfacePlan PlanFor(NodeFacts facts, LogicalPort port)
    {
        if (port.Problem is { } problem)
        {
            throw new PodNetworkException(11, $"pod {port.Id} gets no address: {problem}", "The runtime asks again; the pod starts when the reason is gone.");
        }

        var subnets = facts.Slice.Switch(port.Switch)?.Subnets ?? [];
        if (subnets.IsEmpty)
        {
            throw new PodNetworkException(11, $"node {options.NodeName} has no pod CIDR yet",
                "Set spec.podCIDRs of the Node, or start the cluster with --allocate-node-cidrs.");
        }

        var mtu = host.PodMtu(facts)
            ?? throw new PodNetworkException(11, $"node {options.NodeName} has no InternalIP yet", "Set the address in the Node's status.");
        var isTenant = port.NetworkKey != Network.DefaultKey;
        var most = facts.Slice.Switch(port.Switch)?.Mtu ?? 0;
        return new PodInterfacePlan
        {
            Port = port,
            Subnets = subnets,
            AliasSubnets = isTenant ? AliasSubnets(facts, port) : [],
            Mtu = most > 0 ? Math.Min(most, mtu) : mtu,
            DisableTxOffload = options.DatapathType == "netdev",
        };
    }

    private EquatableArray<SwitchSubnet> AliasSubnets(NodeFacts facts, LogicalPort port)
    {
        var found = facts.Subnets.Where(s => port.Addresses.Any(a => a.Contains(':', StringComparison.Ordinal) == s.Gateway.IsV6()))
            .Select(s => new SwitchSubnet(s.Cidr.ToString(), s.Gateway.ToString())).ToEquatableArray();
        return !found.IsEmpty ? found : throw new PodNetworkException(11, $"node {options.NodeName} has no pod CIDR of a family of pod {port.Id}",
            "A tenant pod needs one address of the node by which Kubernetes reaches it: give the cluster CIDRs of the tenant's families.");
    }

    private PodNetworkException Unknown(string id, string uid)
    {
        var state = loop.Published;
        var port = state.Facts.Slice.Port(id);
        return NotReadyReason is { } reason && !state.Facts.Slice.IsKnown
            ? new PodNetworkException(11, reason, "Start weft-controller, or check the agent's 'controllers' and 'tokenFile'.")
            : port is not null && uid.Length > 0 && port.Uid != uid
                ? new PodNetworkException(3, $"pod {id} exists with uid {port.Uid}, not {uid}", "The pod was created again; the runtime will ask for the new one.")
                : new PodNetworkException(11, $"pod {id} is not known on node {options.NodeName} after {PodPatience.TotalSeconds:0} s",
                    controller.Connected is null
                        ? $"No controller is connected ({controller.LastFailure})."
                        : "Check that the pod exists, is not hostNetwork, and is bound to this node: kubectl get pod -o wide.");
    }

    private sealed record Found(NodeFacts Facts, LogicalPort Port);
}
