namespace Weft.Controller.Allocation;

/// <summary>The ledger as it is stored: one Kubernetes object, so that every decision is one write that happens or does not.</summary>
internal sealed class StoredKeys
{
    /// <summary>The stored object's version; null while it is not stored.</summary>
    public string? Version { get; set; }

    /// <summary>Where the search for a free key begins: after the last one given, so that a key comes again as late as possible.</summary>
    public int Next { get; set; }

    public Dictionary<int, KeyEntry> Entries { get; } = [];

    /// <summary>What cannot be read. It stays as it is, and its keys are not given to anybody.</summary>
    public Dictionary<int, string> Unreadable { get; } = [];

    /// <summary>Whether it differs from what is stored.</summary>
    public bool IsChanged { get; set; }

    public bool IsFree(int key) => !Entries.ContainsKey(key) && !Unreadable.ContainsKey(key);

    public void Set(int key, KeyEntry entry)
    {
        Entries[key] = entry;
        IsChanged = true;
    }

    public void Remove(int key)
    {
        Entries.Remove(key);
        IsChanged = true;
    }
}
