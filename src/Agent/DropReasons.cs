using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Entries;

namespace Weft.Agent;

/// <summary>Why a flow drops, in one word for metrics.</summary>
internal static class DropReasons
{
    private const string Spoof = "spoofed_source";
    private const string Isolated = "isolated";
    private const string Denied = "denied_by_policy";
    private const string Invalid = "invalid_connection";
    private const string NoRoute = "no_route";
    private const string Neighbours = "neighbour_discovery";
    private const string Other = "other";

    /// <summary>All of them.</summary>
    public static readonly string[] All = [Spoof, Isolated, Denied, Invalid, NoRoute, Neighbours, Other];

    /// <summary>Whether a flow drops; what is told to the agent is dropped all the same.</summary>
    public static bool Drops(Flow flow) => flow.Instructions.IsDrop
        || (flow.Instructions.Next is null && (Cookies.FeatureOf(flow.Cookie) == FlowFeature.Isolation || (Cookies.FeatureOf(flow.Cookie) == FlowFeature.Policy && Cookies.PartOf(flow.Cookie) is not null)));

    /// <summary>The reason of a flow that <see cref="Drops"/>.</summary>
    public static string Of(Flow flow) => Cookies.FeatureOf(flow.Cookie) switch
    {
        FlowFeature.Isolation => Isolated,
        FlowFeature.Policy => Denied,
        _ when flow.Table == Tables.SpoofGuard.Id => Spoof,
        _ when flow.Table == Tables.ArpNd.Id || flow.Table == Tables.NdAnswer.Id => Neighbours,
        _ when flow.Table == Tables.ConntrackState.Id || flow.Table == Tables.Conntrack.Id => Invalid,
        _ when flow.Table == Tables.Routing.Id || flow.Table == Tables.Forwarding.Id => NoRoute,
        _ => Other,
    };
}
