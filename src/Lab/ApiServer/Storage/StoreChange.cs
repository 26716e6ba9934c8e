namespace Weft.Lab.ApiServer;

public enum ChangeKind
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One committed change.</summary>
/// <param name="Object">The new version; for a deletion the last one, stamped with the deletion's revision.</param>
/// <param name="Previous">What it replaced; null for an addition.</param>
public sealed record StoreChange(ChangeKind Kind, StoredObject Object, StoredObject? Previous)
{
    public long Revision => Object.Revision;
}
