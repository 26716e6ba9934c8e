using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Conditions of a status.</summary>
public static class PodConditions
{
    /// <summary>Sets one condition; its transition time changes only with its status.</summary>
    public static void Set(JsonObject tree, string type, string status, string? reason, string? message, DateTimeOffset now)
    {
        var conditions = tree.Child("status").List("conditions");
        var condition = conditions.Objects().FirstOrDefault(c => c.Text("type") == type);
        if (condition is null)
        {
            condition = new JsonObject { ["type"] = type };
            conditions.Add(condition);
        }

        if (condition.Text("status") != status)
        {
            condition["status"] = status;
            condition["lastTransitionTime"] = Json.Time(now);
        }

        foreach (var (name, value) in ((string, string?)[])[("reason", reason), ("message", message)])
        {
            if (value is null)
            {
                condition.Remove(name);
            }
            else
            {
                condition[name] = value;
            }
        }
    }

    public static bool IsTrue(JsonNode? tree, string type) =>
        tree.At("status", "conditions").Objects().Any(c => c.Text("type") == type && c.Text("status") == "True");
}
