using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Simulation;
using Weft.Topology;

namespace Weft.Ctl.WhatIf;

/// <summary>A node's switch in memory, with exactly the flows and groups that its agent would install.</summary>
internal sealed class VirtualNode
{
    private readonly PipelineSimulator _switch;

    private VirtualNode(NodeFacts facts, FlowPlanner plan)
    {
        Facts = facts;
        Plan = plan;
        _switch = new PipelineSimulator(plan.Flows.All.Select(f => f.Value), plan.Groups.All.Select(g => g.Value));
    }

    /// <summary>What the plan was made from.</summary>
    public NodeFacts Facts { get; }

    /// <summary>The plan, which knows the owner of every flow.</summary>
    public FlowPlanner Plan { get; }

    /// <summary>Plans a node.</summary>
    public static VirtualNode Of(NodeEndpoint self, Placement placement, IReadOnlyList<TopologyItem> slice)
    {
        // Manifests have pod addresses but seldom the nodes' ranges: each node is told the way to each pod of the others.
        var items = slice.Where(i => i is not NodeEndpoint).Append(self)
            .Concat(placement.Nodes.Where(n => n.Id != self.Id).Select(n => n with { PodCidrs = RangesOf(placement, n.Id) }))
            .ToImmutableDictionary(ItemRef.Of);
        var facts = new NodeFacts
        {
            NodeName = self.Id,
            Slice = new Slice { Epoch = "manifests", Revision = 1, Items = items },
            Ports = placement.Pods.Where(p => p.Node == self.Id && !p.OnHost).Select(PortOf).ToImmutableDictionary(p => p.Id),
        };
        var plan = new FlowPlanner();
        plan.PlanAll(facts);
        return new VirtualNode(facts, plan);
    }

    /// <summary>A packet from one of this node's pods, or from the node itself.</summary>
    public SimulationResult FromPort(VirtualPod from, WirePacket packet) => _switch.Run(from.OnHost
        ? packet.At(BridgePorts.Gateway, BridgePorts.GatewayMac, BridgePorts.RouterMac)
        : packet.At((uint)from.Port, from.Mac, BridgePorts.RouterMac));

    /// <summary>A packet of the default network from another node.</summary>
    public SimulationResult FromTunnel(WirePacket packet) =>
        _switch.Run(packet.At(BridgePorts.Tunnel, BridgePorts.RouterMac, BridgePorts.RouterMac, Network.DefaultKey));

    /// <summary>Whether the packet left to the pod.</summary>
    public static bool Reached(SimulationResult result, VirtualPod to) =>
        result.OutputPorts.SequenceEqual([to.OnHost ? BridgePorts.Gateway : (uint)to.Port]);

    /// <summary>Whether the packet left to another node.</summary>
    public static bool Tunnelled(SimulationResult result) => result.OutputPorts.SequenceEqual([(uint)BridgePorts.Tunnel]);

    private static EquatableArray<string> RangesOf(Placement placement, string node) => placement.Pods.Where(p => p.Node == node && !p.OnHost)
        .SelectMany(p => p.Addresses).Select(a => $"{a}/{(a.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32)}").ToEquatableArray();

    private static AttachedPort PortOf(VirtualPod pod) => new(
        new Attachment
        {
            Pod = pod.Id,
            Uid = pod.Id,
            ContainerId = pod.ContainerId,
            IfName = "eth0",
            Netns = "",
            HostInterface = "pod" + pod.Port,
            Mac = pod.Mac,
            Addresses = pod.Addresses.Select(a => a.ToString()).ToEquatableArray(),
        },
        pod.Port);
}
