using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>Every resource that is served now: the built-in ones and those that definitions add. Readers see one consistent set.</summary>
public sealed class ResourceRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ImmutableArray<ResourceType>> _custom = new(StringComparer.Ordinal);
    private volatile Index _index = new(BuiltInResources.All);

    public ImmutableArray<ResourceType> All => _index.Types;

    public ResourceType? Find(string group, string version, string plural) =>
        _index.ByPath.GetValueOrDefault((group, version, plural));

    public ResourceType? FindKind(string group, string version, string kind) =>
        _index.ByKind.GetValueOrDefault((group, version, kind));

    /// <summary>The type in the version that its objects are stored in.</summary>
    public ResourceType? FindStored(string storageKey) => _index.Stored.GetValueOrDefault(storageKey);

    /// <summary>A resource whose kind, plural, singular or short name is taken by somebody else in the group, or null.</summary>
    public bool NameTaken(string group, string plural, string name) => _index.Types.Any(t =>
        t.Group == group && t.Plural != plural && (t.Plural == name || t.Singular == name || t.Kind == name || t.ShortNames.Contains(name)));

    /// <summary>Replaces what the definition of that name adds; an empty list takes it away.</summary>
    public void SetCustom(string definition, ImmutableArray<ResourceType> types)
    {
        lock (_gate)
        {
            _custom[definition] = types;
            _index = new Index([.. BuiltInResources.All, .. _custom.OrderBy(c => c.Key, StringComparer.Ordinal).SelectMany(c => c.Value)]);
        }
    }

    private sealed class Index
    {
        public Index(ImmutableArray<ResourceType> types)
        {
            Types = types;
            foreach (var type in types)
            {
                ByPath[(type.Group, type.Version, type.Plural)] = type;
                ByKind[(type.Group, type.Version, type.Kind)] = type;
                if (type.Version == type.StorageVersion && !type.CreateOnly)
                {
                    Stored.TryAdd(type.StorageKey, type);
                }
            }
        }

        public ImmutableArray<ResourceType> Types { get; }

        public Dictionary<(string Group, string Version, string Plural), ResourceType> ByPath { get; } = [];

        public Dictionary<(string Group, string Version, string Kind), ResourceType> ByKind { get; } = [];

        public Dictionary<string, ResourceType> Stored { get; } = new(StringComparer.Ordinal);
    }
}
