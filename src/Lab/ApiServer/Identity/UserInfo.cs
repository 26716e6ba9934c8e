using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Who a request comes from.</summary>
public sealed record UserInfo(string Name, ImmutableArray<string> Groups, string Uid = "")
{
    public const string Masters = "system:masters";

    /// <summary>Facts of a token, such as the pod and node that it is bound to.</summary>
    public ImmutableDictionary<string, string> Extra { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The lab itself, on the unix socket.</summary>
    public static UserInfo Lab { get; } = new("system:weft-lab", [Masters, "system:authenticated"]);

    public static UserInfo Anonymous { get; } = new("system:anonymous", ["system:unauthenticated"]);

    public bool IsMaster => Groups.Contains(Masters);

    public JsonObject ToJson()
    {
        var user = new JsonObject { ["username"] = Name, ["uid"] = Uid, ["groups"] = Groups.ToJson() };
        if (!Extra.IsEmpty)
        {
            user["extra"] = new JsonObject(Extra.OrderBy(e => e.Key, StringComparer.Ordinal)
                .Select(e => KeyValuePair.Create(e.Key, (JsonNode?)new JsonArray(e.Value))));
        }

        return user;
    }
}
