using System.Net;

namespace Weft.Controller.Network;

/// <summary>Address arithmetic on text, as records carry it.</summary>
internal static class Cidr
{
    /// <summary>Reads a range and clears its host bits.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryNormalise(string? text, out string cidr)
    {
        cidr = "";
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            || !int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var length))
        {
            return false;
        }

        var bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            var keep = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - keep));
        }

        cidr = $"{new IPAddress(bytes)}/{length}";
        return true;
    }

    /// <summary>The first address after the network's own, which is its gateway.</summary>
    public static string FirstAddress(string normalised)
    {
        var bytes = IPAddress.Parse(normalised.AsSpan(0, normalised.IndexOf('/', StringComparison.Ordinal))).GetAddressBytes();
        for (var i = bytes.Length - 1; i >= 0 && ++bytes[i] == 0; i--)
        {
        }

        return new IPAddress(bytes).ToString();
    }

    /// <summary>An address in its canonical form, or null when it is none.</summary>
    public static string? Address(string? text)
    {
        if (string.IsNullOrEmpty(text) || !IPAddress.TryParse(text, out var address))
        {
            return null;
        }

        // Keep the caller's instance where it is canonical already: most are.
        var canonical = address.ToString();
        return canonical == text ? text : canonical;
    }

    /// <summary>Whether an address or range is of IPv6.</summary>
    public static bool IsV6(string text) => text.Contains(':', StringComparison.Ordinal);
}
