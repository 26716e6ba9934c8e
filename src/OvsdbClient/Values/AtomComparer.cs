namespace Weft.Ovsdb;

/// <summary>The order of <see cref="Atom.Compare{T}"/> for sorting and searching.</summary>
internal sealed class AtomComparer<T> : IComparer<T>
{
    /// <summary>The only one needed.</summary>
    public static readonly AtomComparer<T> Instance = new();

    /// <inheritdoc/>
    public int Compare(T? x, T? y) => Atom.Compare(x, y);
}
