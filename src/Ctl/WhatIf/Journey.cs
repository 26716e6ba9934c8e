using Weft.OpenFlow.Simulation;

namespace Weft.Ctl.WhatIf;

/// <summary>What a node's switch did with a packet.</summary>
/// <param name="Node">The node.</param>
/// <param name="Result">The tables that it passed there, and what left.</param>
public sealed record Hop(string Node, SimulationResult Result);

/// <summary>A packet's way.</summary>
/// <param name="Delivered">Whether it came to the port that it was meant for.</param>
/// <param name="Hops">One switch, or two and the tunnel between them. Empty when no switch was asked: a pod and itself, two pods of one host, no address family in common.</param>
public sealed record Journey(bool Delivered, IReadOnlyList<Hop> Hops);
