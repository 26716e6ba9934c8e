using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>The objects of one resource at one revision, in order of namespace and name.</summary>
public sealed record StoreSnapshot(long Revision, ImmutableArray<ImmutableSortedDictionary<string, StoredObject>> Parts)
{
    public IEnumerable<StoredObject> Items
    {
        get
        {
            foreach (var part in Parts)
            {
                foreach (var (_, item) in part)
                {
                    yield return item;
                }
            }
        }
    }

    public int Count => Parts.Sum(p => p.Count);
}
