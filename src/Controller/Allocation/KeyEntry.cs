using System.Globalization;

namespace Weft.Controller.Allocation;

/// <summary>A key in the ledger. As text: <c>uid name</c>, and <c>resting since</c> a time once its owner is gone.</summary>
/// <param name="Uid">The owner.</param>
/// <param name="Name">The owner's name, without blanks.</param>
/// <param name="RestingSince">When the owner was found to be gone; null while it exists.</param>
internal sealed record KeyEntry(string Uid, string Name, DateTimeOffset? RestingSince = null)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static KeyEntry For(NetworkOwner owner) => new(owner.Uid, owner.Name.Replace(' ', '_'));

    /// <summary>Reads an entry.</summary>
    /// <returns>Null when it is none: somebody else wrote it.</returns>
    public static KeyEntry? Read(string text) => text.Split(' ') switch
    {
        [{ Length: > 0 } uid, var name] => new KeyEntry(uid, name),
        [{ Length: > 0 } uid, var name, "resting", "since", var since] when DateTimeOffset.TryParseExact(
            since, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => new KeyEntry(uid, name, time),
        _ => null,
    };

    public override string ToString() => RestingSince is { } since
        ? $"{Uid} {Name} resting since {since.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}"
        : $"{Uid} {Name}";
}
