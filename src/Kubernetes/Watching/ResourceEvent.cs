namespace Weft.Kubernetes;

/// <summary>What a <see cref="Reflector{T}"/> tells.</summary>
public enum ResourceEventType
{
    /// <summary>The object is new or may have changed.</summary>
    Upsert,

    /// <summary>The object does not exist any more.</summary>
    Delete,

    /// <summary>Every object that existed at the start has been told. Comes once.</summary>
    Synced,

    /// <summary>An object could not be read: what is known of it stays.</summary>
    Unreadable,
}

/// <summary>Names an object of a kind.</summary>
/// <param name="Namespace">Empty for cluster-wide kinds.</param>
/// <param name="Name">The name.</param>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary>The key of an object.</summary>
    public static ObjectKey Of(IKubernetesObject value) => new(value.Metadata.NamespaceProperty ?? "", value.Metadata.Name ?? "");

    /// <inheritdoc/>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>One step.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Key">The object's name; empty for <see cref="ResourceEventType.Synced"/>.</param>
/// <param name="Object">The object, only for <see cref="ResourceEventType.Upsert"/>.</param>
/// <param name="Problem">Why it cannot be read, only for <see cref="ResourceEventType.Unreadable"/>.</param>
public readonly record struct ResourceEvent<T>(ResourceEventType Type, ObjectKey Key, T? Object = null, string? Problem = null)
    where T : class, IKubernetesObject;
