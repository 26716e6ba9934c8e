namespace Weft.Incremental;

/// <summary>The last additions to and removals from one set, so that readers at older revisions can be told the difference only.</summary>
/// <remarks>Bounded: when it is full the older half is forgotten and <see cref="Floor"/> rises. Not thread-safe.</remarks>
/// <param name="floor">The revision at which the log begins.</param>
/// <param name="capacity">Steps that are kept.</param>
public sealed class MemberLog<T>(long floor, int capacity)
    where T : notnull
{
    private readonly List<(long Revision, T Member, bool Added)> _steps = [];

    /// <summary>Readers that stopped before this revision must take the whole set.</summary>
    public long Floor { get; private set; } = floor;

    /// <summary>Notes a step. Revisions never go back.</summary>
    public void Note(long revision, T member, bool added)
    {
        if (_steps.Count >= capacity)
        {
            var forget = (_steps.Count + 1) / 2;
            Floor = _steps[forget - 1].Revision;
            _steps.RemoveRange(0, forget);
        }

        _steps.Add((revision, member, added));
    }

    /// <summary>The last step of each member after a revision: true where it was added.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The revision is below <see cref="Floor"/>.</exception>
    public Dictionary<T, bool> Since(long revision)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(revision, Floor);
        var first = _steps.Count;
        while (first > 0 && _steps[first - 1].Revision > revision)
        {
            first--;
        }

        var net = new Dictionary<T, bool>();
        for (var i = first; i < _steps.Count; i++)
        {
            net[_steps[i].Member] = _steps[i].Added;
        }

        return net;
    }
}
