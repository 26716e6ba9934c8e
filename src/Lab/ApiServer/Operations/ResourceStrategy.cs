using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>What is special about one resource when its objects are written. Called without locks, must not block.</summary>
public abstract class ResourceStrategy
{
    /// <summary>Completes a new object; defaults of the schema are already in.</summary>
    public virtual void PrepareCreate(JsonObject tree)
    {
    }

    /// <summary>Completes a change; <paramref name="tree"/> is what will be stored.</summary>
    public virtual void PrepareUpdate(JsonObject tree, JsonObject old)
    {
    }

    /// <summary>Adds what the schema cannot say.</summary>
    /// <param name="old">Null for a new object.</param>
    public virtual void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
    }

    /// <summary>After a create or change is in the store, before the client hears of it.</summary>
    public virtual void Stored(JsonObject tree)
    {
    }
}
