namespace Weft.Ovsdb;

/// <summary>Remembers recent short strings, so that a key that stands in 100,000 rows is kept once.</summary>
/// <remarks>Direct-mapped and bounded: a collision forgets the older string. Not thread-safe.</remarks>
internal sealed class StringPool
{
    private const int Size = 8192;
    private const int LongestShared = 48;

    private readonly string?[] _strings = new string?[Size];

    /// <summary>An equal string, the same object as before when it is remembered.</summary>
    public string Share(string text)
    {
        if (text.Length > LongestShared)
        {
            return text;
        }

        ref var slot = ref _strings[(uint)string.GetHashCode(text.AsSpan(), StringComparison.Ordinal) % Size];
        if (slot is not null && slot == text)
        {
            return slot;
        }

        slot = text;
        return text;
    }
}
