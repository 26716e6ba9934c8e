using System.Runtime.InteropServices;
using Weft.Incremental;

namespace Weft.Controller.Network;

/// <summary>Finds labelled things by a label. Not thread-safe.</summary>
internal sealed class LabelledIndex<T>
    where T : class
{
    private readonly Dictionary<(string Key, string Value), SmallSet<T>> _byLabel = [];

    public void Add(T item, LabelSet labels)
    {
        foreach (var label in labels.Labels)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_byLabel, label, out _).Add(item);
        }
    }

    public void Remove(T item, LabelSet labels)
    {
        foreach (var label in labels.Labels)
        {
            ref var set = ref CollectionsMarshal.GetValueRefOrNullRef(_byLabel, label);
            set.Remove(item);
            if (set.Count == 0)
            {
                _byLabel.Remove(label);
            }
        }
    }

    /// <summary>Adds everything that a requirement with values can accept, each once.</summary>
    public void Find(LabelRequirement requirement, List<T> found)
    {
        foreach (var value in requirement.Values)
        {
            if (_byLabel.TryGetValue((requirement.Key, value), out var set))
            {
                found.AddRange(set.Items);
            }
        }
    }
}

/// <summary>Finds selecting things by the labels of what they may select. Not thread-safe.</summary>
internal sealed class SelectorIndex<T>
    where T : class
{
    private readonly Dictionary<(string Key, string Value), SmallSet<T>> _byLabel = [];
    private SmallSet<T> _others;

    public void Add(T item, LabelRequirement? key)
    {
        if (key is not { } requirement)
        {
            _others.Add(item);
            return;
        }

        foreach (var value in requirement.Values)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_byLabel, (requirement.Key, value), out _).Add(item);
        }
    }

    public void Remove(T item, LabelRequirement? key)
    {
        if (key is not { } requirement)
        {
            _others.Remove(item);
            return;
        }

        foreach (var value in requirement.Values)
        {
            ref var set = ref CollectionsMarshal.GetValueRefOrNullRef(_byLabel, (requirement.Key, value));
            set.Remove(item);
            if (set.Count == 0)
            {
                _byLabel.Remove((requirement.Key, value));
            }
        }
    }

    /// <summary>Adds everything that may select an object with these labels, each once: a key has one value in a label set.</summary>
    public void Find(LabelSet labels, List<T> found)
    {
        foreach (var label in labels.Labels)
        {
            if (_byLabel.TryGetValue(label, out var set))
            {
                found.AddRange(set.Items);
            }
        }

        found.AddRange(_others.Items);
    }
}
