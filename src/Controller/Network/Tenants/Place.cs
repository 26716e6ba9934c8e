using Weft.Controller.Allocation;

namespace Weft.Controller.Network;

/// <summary>An address as a number with its family.</summary>
internal readonly record struct Place(bool V6, UInt128 Number)
{
    /// <summary>Reads an address; null when it is none.</summary>
    public static Place? Parse(string? text) => text is not null && AddressRange.TryNumber(text, out var number, out var isV6) ? new Place(isV6, number) : null;

    /// <summary>The address in its canonical form.</summary>
    public override string ToString() => AddressRange.ToText(Number, V6);
}

internal static class Ranges
{
    /// <summary>Reads a CIDR, an address or two with two dots between; null when it is none.</summary>
    public static AddressRange? Parse(string? text) => AddressRange.TryParse(text, out var range) ? range : null;

    public static bool Contains(this AddressRange range, Place place) => range.Contains(place.Number, place.V6);

    /// <summary>How many there are.</summary>
    public static UInt128 Count(this AddressRange range) => range.Last - range.First + 1;
}
