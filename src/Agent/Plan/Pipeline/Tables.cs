using System.Collections.Immutable;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>What happens to a packet that no other flow of a table matches.</summary>
public enum TableMiss
{
    /// <summary>It is dropped.</summary>
    Drop = 0,

    /// <summary>It goes to <see cref="FlowTable.Next"/>.</summary>
    Continue,
}

/// <summary>A table of <c>br-int</c>.</summary>
/// <param name="Id">Its number; never reused for another purpose.</param>
/// <param name="Name">Its name in OVSDB.</param>
/// <param name="Purpose">One line, for people.</param>
/// <param name="Miss">What the miss flow does.</param>
/// <param name="Next">Where it continues, or null.</param>
public sealed record FlowTable(byte Id, string Name, string Purpose, TableMiss Miss, byte? Next = null);

/// <summary>The tables in packet order (docs/design/pipeline.md).</summary>
public static class Tables
{
    public static readonly FlowTable Output = new(100, "Output", "send to the port in reg1", TableMiss.Drop);
    public static readonly FlowTable ConntrackCommit = Then(90, "ConntrackCommit", "commit new connections that were allowed", Output);
    public static readonly FlowTable IngressBaseline = Then(82, "IngressBaseline", "baseline policies, ingress", ConntrackCommit);
    public static readonly FlowTable IngressPolicy = Then(81, "IngressPolicy", "network policies, ingress", IngressBaseline);
    public static readonly FlowTable IngressAdmin = Then(80, "IngressAdmin", "bypasses, then admin policies, ingress", IngressPolicy);
    public static readonly FlowTable Forwarding = new(70, "Forwarding", "destination MAC to output port", TableMiss.Drop);
    public static readonly FlowTable EgressNat = Then(65, "EgressNat", "source NAT by the switch", Forwarding);
    public static readonly FlowTable EdgeState = new(64, "EdgeState", "into a tenant's network: replies, and what this node itself asks for", TableMiss.Drop);
    public static readonly FlowTable EdgeAlias = new(63, "EdgeAlias", "alias of a tenant pod to its network", TableMiss.Drop);
    public static readonly FlowTable EdgeIn = Then(62, "EdgeIn", "to an alias of a tenant pod: mark what this node itself sends", EdgeAlias);
    public static readonly FlowTable EdgeOut = new(61, "EdgeOut", "out of a tenant's network: what may, and by which alias", TableMiss.Drop);
    public static readonly FlowTable Routing = new(60, "Routing", "destination address to MAC, tunnel or gateway", TableMiss.Drop);
    public static readonly FlowTable EgressBaseline = Then(52, "EgressBaseline", "baseline policies, egress", Routing);
    public static readonly FlowTable EgressPolicy = Then(51, "EgressPolicy", "network policies, egress", EgressBaseline);
    public static readonly FlowTable EgressAdmin = Then(50, "EgressAdmin", "admin policies, egress", EgressPolicy);
    public static readonly FlowTable ServiceEndpoint = new(42, "ServiceEndpoint", "the endpoint of a client with affinity, or of a slot of a large Service", TableMiss.Drop);
    public static readonly FlowTable ServiceLb = Then(41, "ServiceLb", "virtual address to an endpoint", EgressAdmin);
    public static readonly FlowTable ServiceAffinity = new(40, "ServiceAffinity", "learned client affinity; only resubmitted to", TableMiss.Drop);
    public static readonly FlowTable NodeAddress = Then(35, "NodeAddress", "mark what goes to an address of a node, for node ports", ServiceLb);
    public static readonly FlowTable ConntrackState = Then(31, "ConntrackState", "invalid, reply, related or request", NodeAddress);
    public static readonly FlowTable Conntrack = new(30, "Conntrack", "look the connection up", TableMiss.Drop);
    public static readonly FlowTable NdAnswer = new(21, "NdAnswer", "write the link-layer address into an advertisement and send it back", TableMiss.Drop);
    public static readonly FlowTable ArpNd = new(20, "ArpNd", "answer ARP and neighbour discovery", TableMiss.Drop);
    public static readonly FlowTable SpoofGuard = new(10, "SpoofGuard", "only own addresses as source", TableMiss.Drop);
    public static readonly FlowTable Classifier = new(0, "Classifier", "port or tunnel key to network", TableMiss.Drop);

    /// <summary>All tables, in packet order.</summary>
    public static readonly ImmutableArray<FlowTable> All =
    [
        Classifier, SpoofGuard, ArpNd, NdAnswer, Conntrack, ConntrackState, NodeAddress, ServiceAffinity, ServiceLb, ServiceEndpoint, EgressAdmin, EgressPolicy,
        EgressBaseline, Routing, EdgeOut, EdgeIn, EdgeAlias, EdgeState, EgressNat, Forwarding, IngressAdmin, IngressPolicy, IngressBaseline, ConntrackCommit, Output,
    ];

    private static FlowTable Then(byte id, string name, string purpose, FlowTable next) => new(id, name, purpose, TableMiss.Continue, next.Id);
}
