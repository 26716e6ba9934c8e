namespace Weft.Controller.Network;

/// <summary>The labels of an object. Equal sets are one instance: compare by reference.</summary>
public sealed class LabelSet
{
    private readonly (string Key, string Value)[] _labels;

    internal LabelSet((string Key, string Value)[] labels) => _labels = labels;

    /// <summary>The labels, by key. The strings are interned.</summary>
    public ReadOnlySpan<(string Key, string Value)> Labels => _labels;

    /// <summary>The value of an interned key, or null.</summary>
    public string? this[string internedKey]
    {
        get
        {
            foreach (var (key, value) in _labels)
            {
                if (ReferenceEquals(key, internedKey))
                {
                    return value;
                }
            }

            return null;
        }
    }
}
